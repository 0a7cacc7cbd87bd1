"""What a piece begins as, before anything merges."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BYTES", "Symbols"]


@dataclass(frozen=True)
class Symbols:
    """What a piece begins as, before anything merges.

    Bytes, unless `characters` says otherwise: then each character that is a token is a symbol. One that is none stays
    what it is: its bytes become the tokens of `byte_ids` ("byte fallback"), or the whole of it `unknown_id`.

    Attributes:
        characters: whether a piece begins as its characters, not as its bytes.
        byte_ids: the ids of the bytes 0 to 255, for characters that are no tokens; or None.
        unknown_id: the id of a character that is no token, if there are no `byte_ids`.
        fuse_unknown: whether one `unknown_id` stands for all such characters in a row.
        end_of_word: what tokens end with that stand for the end of a piece (`</w>`); the last symbol of a piece is
            another one than the same further left. Their ending is not part of the text: it is read as a space.

    Raises:
        ValueError: other than 256 byte ids; a character that is no token would have no id; an end of words that begin
            as characters.
    """

    characters: bool = False
    byte_ids: tuple[int, ...] | None = None
    unknown_id: int | None = None
    fuse_unknown: bool = False
    end_of_word: str = ""

    def __post_init__(self) -> None:
        if self.byte_ids is not None and len(self.byte_ids) != 256:
            raise ValueError(f"there are {len(self.byte_ids)} byte ids; expected 256")
        if self.characters and self.byte_ids is None and self.unknown_id is None:
            raise ValueError("a character that is no token has neither byte_ids nor unknown_id, and would be lost")
        if self.characters and self.end_of_word:
            raise ValueError("an end_of_word is for pieces that begin as bytes, not as characters")


#: Pieces begin as their bytes.
BYTES = Symbols()
