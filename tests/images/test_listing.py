import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.images import listing
from plateau_cause.images.item import Item


def items(names):
    return [Item(name, name, "a", bytes) for name in names]


@pytest.fixture(autouse=True)
def few_are_held(monkeypatch):
    monkeypatch.setattr(listing, "MOST_HELD", 3)


def test_few_are_sorted_and_numbered():
    found = listing.listed(lambda: items(["b", "a", "b"]), "data")
    assert [item.image_id for item in found] == ["a", "b", "b#2"]


def test_many_in_order_are_not_held():
    read = []

    def source():
        for item in items("abcdef"):
            read.append(item.image_id)
            yield item

    found = listing.listed(source, "data")
    assert isinstance(found, listing.Streamed)
    assert len(found) == 6
    assert [item.image_id for item in found] == list("abcdef")
    assert read == list("abcdef") * 2


@pytest.mark.parametrize(
    ("given", "wanted"), [("abdcef", list("abcdef")), ("abccde", ["a", "b", "c", "c#2", "d", "e"])]
)
def test_many_in_another_order_are_held(given, wanted):
    found = listing.listed(lambda: iter(items(given)), "data")
    assert [item.image_id for item in found] == wanted


@pytest.mark.parametrize("later", ["abcd", "abcdefg", "abcfde", ""])
def test_what_changes_meanwhile_is_said(later):
    given = iter(["abcdef", later])
    found = listing.listed(lambda: items(next(given)), "data")
    with pytest.raises(PlateauError, match="changed while they were read"):
        list(found)
