"""How numbers are written for people: accuracies in percent, changes in points, times in seconds."""

from __future__ import annotations

from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
ABSENT = "\N{EM DASH}"


def percent(fraction: float | None) -> str:
    """Returns 0.694 as "69.4%", without a trailing zero; a dash where nothing was measured."""
    return ABSENT if fraction is None else f"{100 * fraction:.1f}".removesuffix(".0") + "%"


def probability(stated: float) -> str:
    """Returns 0.97 as "97%"; never 0% or 100%, for nothing is certain: "> 99%", "< 1%"."""
    if stated > 0.99:
        return "> 99%"
    return "< 1%" if stated < 0.01 else f"{100 * stated:.0f}%"


def share(fraction: float) -> str:
    """Returns 0.3664 as "36%", rounded down: shares of one whole never add up to more than 100%."""
    return "< 1%" if fraction < 0.01 else f"{int(100 * fraction + 1e-9)}%"


def points(change: float | None) -> str:
    """Returns 0.22 as "+22 points"; below ten points with one decimal."""
    return ABSENT if change is None else f"{_signed(change, _decimals(change))} points"


def interval(change: float | None, ci: Sequence[float] | None) -> str:
    """Returns (0.19, 0.25) as "[19, 25]", as exact as the change it belongs to; empty where there is none."""
    if change is None or ci is None:
        return ""
    low, high = (_number(end, _decimals(change)) for end in ci)
    return f"[{low}, {high}]"


def points_with_interval(change: float | None, ci: Sequence[float] | None) -> str:
    """Returns "+22 points [19, 25]"."""
    return f"{points(change)} {interval(change, ci)}".rstrip()


def short(value: float) -> str:
    """Returns 0.4912 as "0.49" and 0.00234 as "0.0023": two decimals, or two figures of what is smaller."""
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.095 else f"{value:.2g}"


def seconds(duration_s: float | None) -> str:
    """Returns 12.3 as "12.3 s", 250 as "4 min 10 s"."""
    if duration_s is None:
        return ABSENT
    if duration_s < 100:
        return f"{duration_s:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _decimals(change: float) -> int:
    return 0 if abs(change) >= 0.0995 else 1


def _number(change: float, decimals: int) -> str:
    text = f"{100 * change:.{decimals}f}"
    text = text.removeprefix("-") if float(text) == 0 else text
    return text.replace("-", MINUS)


def _signed(change: float, decimals: int) -> str:
    text = _number(change, decimals)
    return text if text.startswith(MINUS) or float(text) == 0 else f"+{text}"
