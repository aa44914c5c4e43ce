from own_file import user_file

__all__ = ["user_file"]
