"""One name per thing."""

from bayesmed.core import names


def test_no_two_things_share_a_name():
    values = [v for key, v in vars(names).items() if key.isupper() and isinstance(v, str)]
    assert len(values) > 20
    assert len(set(values)) == len(values)
    assert all(value == value.lower() and value.isidentifier() for value in values)
