"""Array types shared by every room."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]
# A NumPy array, a scalar or a PyTensor variable: formulas accept all three.
type ArrayLike = Any
