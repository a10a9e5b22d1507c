"""The checks of `commentsvc doctor`, a file per subject."""
