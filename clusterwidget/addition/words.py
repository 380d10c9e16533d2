"""What the concepts of an addition problem say, for those who meet them on screen."""

_COLUMNS = ("units", "tens", "hundreds", "thousands", "ten thousands")
_COUNT = len(_COLUMNS) - 1

FAMILIES = {
    **{f"L{i}": "digit of L" for i in range(_COUNT)},
    **{f"R{i}": "digit of R" for i in range(_COUNT)},
    **{f"S{i}": "answer digit" for i in range(_COUNT + 1)},
    **{f"L{i}+R{i}": "sum" for i in range(_COUNT)},
    **{f"(L{i}+R{i})%10": "sum" for i in range(_COUNT)},
    **{f"{kind}{i + 1}": "carry" for kind in ("carry", "makes") for i in range(_COUNT)},
    **{f"nine{i}": "carry" for i in range(_COUNT)},
}
"""What kind of concept each is: concepts of a family share a color."""

DESCRIPTIONS = {
    **{f"L{i}": f"The {_COLUMNS[i]} digit of the left number." for i in range(_COUNT)},
    **{f"R{i}": f"The {_COLUMNS[i]} digit of the right number." for i in range(_COUNT)},
    **{f"S{i}": f"The {_COLUMNS[i]} digit of the sum." for i in range(_COUNT + 1)},
    **{
        f"L{i}+R{i}": f"The two {_COLUMNS[i]} digits added up, 0 to 18, without a carry."
        for i in range(_COUNT)
    },
    **{
        f"(L{i}+R{i})%10": f"The last digit of the two {_COLUMNS[i]} digits added up: the digit "
        "of the sum where no carry comes in."
        for i in range(_COUNT)
    },
    **{
        f"carry{i + 1}": f"1 where a carry comes into the {_COLUMNS[i + 1]}, from however far to "
        "the right."
        for i in range(_COUNT)
    },
    **{
        f"makes{i + 1}": f"1 where the two {_COLUMNS[i]} digits add up to 10 or more: they make "
        f"a carry into the {_COLUMNS[i + 1]} by themselves."
        for i in range(_COUNT)
    },
    **{
        f"nine{i}": f"1 where the two {_COLUMNS[i]} digits add up to 9: a carry that comes in "
        "passes through."
        for i in range(_COUNT)
    },
}
"""What each says, in one sentence."""
