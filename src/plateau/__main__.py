"""`python -m plateau`: the same as the command `plateau`."""

from plateau.commands.main import main

if __name__ == "__main__":
    main()
