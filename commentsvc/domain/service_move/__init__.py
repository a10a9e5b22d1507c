"""The move of the whole service to another database, while readers read on."""
