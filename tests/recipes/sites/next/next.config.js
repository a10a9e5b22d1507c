import { resolve } from "node:path";

// Its packages are in the folder above.
export default { output: "export", trailingSlash: true, turbopack: { root: resolve("..") } };
