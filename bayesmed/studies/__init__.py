"""Many fits, on this machine or a cluster.

What stands here runs tasks; the studies themselves are rooms of their own, so that a worker
imports no more than its tasks need.
"""

from bayesmed.studies.study import StudyError, StudyResult, run_study
from bayesmed.studies.task import Row, Task

__all__ = ["Row", "StudyError", "StudyResult", "Task", "run_study"]
