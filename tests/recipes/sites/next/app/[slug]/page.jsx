import Link from "next/link";
import Comments from "../comments";

export const generateStaticParams = () => [{ slug: "one" }, { slug: "two" }];

export default async function Article({ params }) {
  const { slug } = await params;
  return (
    <main>
      <h1>Article {slug}</h1>
      <p>
        <Link href={slug === "one" ? "/two/" : "/one/"}>The other</Link>
      </p>
      <Comments url={`https://blog.example/${slug}/`} />
    </main>
  );
}
