"""A function's comment, taken apart: what it does, what it answers, since when."""

import re
from dataclasses import dataclass, field

STATUS = r"TUILE_(?:E_[A-Z]+|OK|ABSENT|EXPIRED|BAD_SIGNATURE|CONFLICT|EXISTS|DELETED|REFUSED|UNREADABLE|UNBOUND)"
STATUSES = rf"{STATUS}(?:(?:, | or | and )(?={STATUS}){STATUS})*"


@dataclass
class Comment:
    text: list[str]
    answers: list[tuple[list[str], str]] = field(default_factory=list)  # statuses, which may be none, and when
    remarks: str = ""  # what is said behind the answers
    since: str = ""
    source: str = ""  # the RFC, or whatever it follows

    @property
    def summary(self) -> str:
        """The first sentence, without its full stop."""
        return first_sentence(self.text[0]) if self.text else ""


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?!])\s+(?=[A-Z*`]|false )", text)


def first_sentence(text: str) -> str:
    return sentences(text)[0].removesuffix(".")


def answers(text: str) -> list[tuple[list[str], str]]:
    """`A; B if it is so; C or D for that` as a list."""
    found = []
    for piece in re.split(rf"; |, or (?={STATUS})", text.removesuffix(".")):
        if match := re.match(rf"({STATUSES})(?!\w),? ?(.*)$", piece):
            found.append((re.findall(STATUS, match[1]), match[2]))
        elif found and not re.match(r"(and|else|an error) ", piece):
            # Not a status of its own: the sentence before goes on.
            found[-1] = (found[-1][0], f"{found[-1][1]}; {piece}".removeprefix("; "))
        else:
            found.append(([], piece.removeprefix("and ")))
    return found


def parse(paragraphs: list[str]) -> Comment:
    made = Comment(list(paragraphs))
    if made.text and (since := re.search(r"\s*Since (\d+\.\d+)(?:; (.+))?\.$", made.text[-1])):
        made.since, made.source = since[1], since[2] or ""
        made.text[-1] = made.text[-1][:since.start()]
    made.text = [text for text in made.text if text]
    if made.text and re.match(rf"Returns {STATUS}", made.text[-1]):
        listed, *remarks = sentences(made.text.pop().removeprefix("Returns "))
        # A colon in the list of a sentence that goes on belongs to it.
        made.answers, made.remarks = answers(listed), " ".join(remarks)
    return made
