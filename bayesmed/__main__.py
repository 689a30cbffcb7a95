"""Run the command line with ``python -m bayesmed``."""

from bayesmed.cli import main

if __name__ == "__main__":
    main()
