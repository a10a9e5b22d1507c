"""The move of the whole service to another database, while people can go on reading."""
