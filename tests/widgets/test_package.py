"""What the package offers is there, and loaded when it is first asked for."""

from __future__ import annotations

import pytest

import convis_widgets


@pytest.mark.parametrize("name", convis_widgets.__all__)
def test_every_public_name_is_what_it_says(name: str) -> None:
    assert getattr(convis_widgets, name).__name__ == name
    assert name in dir(convis_widgets)


def test_no_other_name_is_there() -> None:
    assert sorted(convis_widgets._PLACES) == sorted(convis_widgets.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        convis_widgets.nonsense  # noqa: B018
