"""A server that counts the tokens of texts.

uvicorn token_counter:app
curl -s 127.0.0.1:8000/count -H 'content-type: application/json' -d '{"text": "hello world"}'
"""

from typing import Annotated

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, StringConstraints

import minitok

#: The encodings that may be asked for; they are made once, and shared by all threads.
ENCODINGS = {"minitok_32k": minitok.get_encoding("minitok_32k")}
#: Characters of a text, at most.
LONGEST = 1_000_000

app = FastAPI(title="Token counter")


class Question(BaseModel):
    """A text, and perhaps how many tokens it may have."""

    text: Annotated[str, StringConstraints(max_length=LONGEST)]
    encoding: str = "minitok_32k"
    limit: int | None = None


class Answer(BaseModel):
    """How many tokens there are, and whether that is within the limit."""

    tokens: int
    fits: bool | None = None


@app.post("/count")
def count(question: Question) -> Answer:
    """Count; what spells a special token is ordinary text here."""
    enc = ENCODINGS.get(question.encoding)
    if enc is None:
        raise HTTPException(404, f"there is no encoding {question.encoding!r}; there are: {', '.join(ENCODINGS)}")
    tokens = enc.count(question.text, disallowed_special=())
    return Answer(tokens=tokens, fits=None if question.limit is None else tokens <= question.limit)


def main() -> None:
    """Ask it, without a network."""
    from fastapi.testclient import TestClient

    client = TestClient(app)
    print(client.post("/count", json={"text": "hello world", "limit": 8}).json())
    print(client.post("/count", json={"text": "hello", "encoding": "none"}).json())


if __name__ == "__main__":
    main()
