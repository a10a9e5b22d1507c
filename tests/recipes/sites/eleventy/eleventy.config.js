export default function (eleventyConfig) {
  eleventyConfig.addCollection("articles", (all) => all.getFilteredByGlob("*.md"));
@@In the built page@@
}
