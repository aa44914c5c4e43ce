"""`python -m plateau_cause`: the same as the command `plateau`."""

from plateau_cause.commands.main import main

if __name__ == "__main__":
    main()
