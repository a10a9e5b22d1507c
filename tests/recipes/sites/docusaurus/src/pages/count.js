import React from "react";

export default function Count() {
  return (
    <main>
@@How many comments an article has@@
    </main>
  );
}
