project = "A blog"
extensions = []
# @@The thread@@
