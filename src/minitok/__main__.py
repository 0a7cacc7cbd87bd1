"""`python -m minitok`: the command line."""

from minitok.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
