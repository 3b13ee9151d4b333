import Markdown from "react-markdown";
import gfm from "remark-gfm";

const PLUGINS = [gfm];

/** Markdown as elements of this page. HTML in it stays text; a link leaves for http and https alone; images are not loaded. */
export default function Rendered({ text }: { text: string }) {
  return (
    <div className="prose-report">
      <Markdown
        remarkPlugins={PLUGINS}
        components={{
          pre: (props) => <pre tabIndex={0}>{props.children}</pre>,
          img: ({ alt }) => <span>{alt}</span>,
          table: (props) => (
            <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Table">
              <table>{props.children}</table>
            </div>
          ),
          a: ({ href, children }) =>
            href !== undefined && /^https?:/.test(href) ? (
              <a href={href} rel="noreferrer noopener" target="_blank">
                {children}
              </a>
            ) : (
              <span>{children}</span>
            ),
          // The page has its own first heading.
          h1: (props) => <h2>{props.children}</h2>,
          h2: (props) => <h3>{props.children}</h3>,
          h3: (props) => <h4>{props.children}</h4>,
        }}
      >
        {text}
      </Markdown>
    </div>
  );
}
