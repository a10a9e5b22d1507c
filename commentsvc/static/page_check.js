// In a frame of the doctor's panel: tells the page around it whether a frame of ours may store something.

const NAME = "commentsvc-doctor";

function storesCookies() {
  for (const kind of ["; SameSite=None; Secure; Partitioned", "; SameSite=Lax"]) {
    document.cookie = `${NAME}=1; path=/${kind}`;
    const isStored = document.cookie.includes(`${NAME}=1`);
    document.cookie = `${NAME}=; path=/; max-age=0${kind}`;
    if (isStored) return true;
  }
  return false;
}

function stores(storage) {
  try {
    window[storage].setItem(NAME, "1");
    window[storage].removeItem(NAME);
    return true;
  } catch {
    return false;
  }
}

/** Whether it shares its cookies with our pages in windows; where browsers keep them apart, they say no. */
const isShared = await document.hasStorageAccess?.().catch(() => false) ?? null;

// To any page: it says what the browser does with every frame of this kind.
parent.postMessage({
  commentsvc: "doctor",
  cookies: storesCookies(),
  storage: stores("localStorage"),
  session: stores("sessionStorage"),
  shared: isShared,
}, "*");
