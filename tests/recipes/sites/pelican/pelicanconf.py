SITENAME = "A blog"
SITEURL = "https://blog.example"
ARTICLE_URL = ARTICLE_SAVE_AS = "{slug}/"
ARTICLE_SAVE_AS += "index.html"
TIMEZONE = "UTC"
THEME = "simple"
THEME_TEMPLATES_OVERRIDES = ["templates"]
# @@In the built page@@
