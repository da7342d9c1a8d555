"""The lab's webapp, and its Mercurial checkout on the development server."""

from .checkout import check_out

__all__ = ["check_out"]
