export const title = "A blog";
export const url = "https://blog.example";
export const baseUrl = "/";
export const trailingSlash = true;
export const plugins = ["./plugins/comments.js"];
export const presets = [["classic", { docs: false, theme: {}, blog: { routeBasePath: "/", postsPerPage: 1 } }]];
@@The thread 2@@
