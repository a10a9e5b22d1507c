import Script from "next/script";

export default function Home() {
  return (
    <main>
      {["/one/", "/two/"].map((path) => (
        <p key={path}>
@@How many comments an article has@@
        </p>
      ))}
      <Script src="https://comments.example/embed.js" />
    </main>
  );
}
