"""``python -m payoff``: the command line."""

from payoff.cli import main

if __name__ == "__main__":
    main()
