"""Two to four quotes side by side: their figures and lines brought into rows, with the differences and the lowest marked.

Comes in: Orders. Goes out: Rows of Cells, one for each quote, in the order of the quotes. Pure.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.models import Order, OrderItem

FEWEST, MOST = 2, 4

Words = str | Promise


@dataclass(frozen=True)
class Cell:
    """What one quote has in a row. `value` is None where it has nothing."""

    value: Decimal | None
    detail: str = ""
    lowest: bool = False
    above: Decimal = Decimal(0)  # how much more than the lowest


@dataclass(frozen=True)
class Row:
    """One figure or line of all quotes. `unit` is `yuan` or what stands behind the number."""

    label: Words
    unit: str
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        """Whether the quotes are not all alike here."""
        return len({(cell.value, cell.detail) for cell in self.cells}) > 1


def totals(orders: Sequence[Order]) -> Row:
    """The total prices, with the lowest marked."""
    return _row(_("Total price"), "yuan", [order.total_money for order in orders], marks=True)


def figures(orders: Sequence[Order]) -> list[Row]:
    """The other figures; those that no quote has are left out."""
    market = [order.market_money if order.saved_money else None for order in orders]
    rows = [
        _row(_("Price per ㎡ of built area"), "yuan", [_per_area(order) for order in orders], marks=True),
        _row(_("You save"), "yuan", [order.saved_money for order in orders]),
        _row(_("Market price"), "yuan", market),
        _row(_("Built area (about)"), "㎡", [_whole(order.built_area) for order in orders]),
        _row(_("Room area"), "㎡", [order.room_area for order in orders]),
    ]
    return [row for row in rows if any(cell.value for cell in row.cells)]


def lines(orders: Sequence[Order]) -> list[Row]:
    """The line items, matched by name; the second of one name in a quote is matched with the second of another."""
    columns = [_by_name(order.items.all()) for order in orders]
    keys = dict.fromkeys(key for column in columns for key in column)
    common = sorted(keys, key=lambda key: -sum(key in column for column in columns))  # what most have stands first
    rows = []
    for key in common:
        found = [column.get(key) for column in columns]
        label = next(item.name for item in found if item)
        amounts = [item.amount if item else None for item in found]
        rows.append(
            _row(label, "yuan", amounts, details=[_quantity(item) if item else "" for item in found], marks=True)
        )
    return rows


def _row(
    label: Words, unit: str, values: list[Decimal | None], *, details: list[str] | None = None, marks: bool = False
) -> Row:
    given = [value for value in values if value is not None]
    least = min(given, default=None)
    # A line that one quote does not have is no bargain there, and of equal ones none is the lowest.
    ranked = marks and len(given) > 1 and len(set(given)) > 1
    cells = (
        Cell(
            value,
            detail,
            lowest=ranked and value == least,
            above=value - least if ranked and value is not None and least is not None else Decimal(0),
        )
        for value, detail in zip(values, details or [""] * len(values), strict=True)
    )
    return Row(label, unit, tuple(cells))


def _by_name(items: Iterable[OrderItem]) -> dict[tuple[str, int], OrderItem]:
    seen: Counter[str] = Counter()
    found = {}
    for item in items:
        name = _plain(item.name)
        found[name, seen[name]] = item
        seen[name] += 1
    return found


def _plain(name: str) -> str:
    """A name as it is compared: width of letters, case and spaces say nothing."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _quantity(item: OrderItem) -> str:
    return f"{item.quantity.normalize():f} {item.unit}".strip()


def _per_area(order: Order) -> Decimal | None:
    """Yuan per m² of built area, which is what people compare; None where no area is known."""
    area = order.built_area
    return (order.total_money / area).quantize(Decimal(1)) if area else None


def _whole(area: int | None) -> Decimal | None:
    return None if area is None else Decimal(area)
