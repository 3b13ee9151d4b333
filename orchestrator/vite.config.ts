import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const OUTPUT = path.join(import.meta.dirname, "dist/client");

/**
 * The headers of every static file, in the `_headers` file that the platform reads. The one inline script is the theme's,
 * which must run before the first paint; the policy names it by its hash, so nothing else inline can run.
 */
function securityHeaders(): Plugin {
  return {
    name: "security-headers",
    apply: "build",
    writeBundle() {
      const page = readFileSync(path.join(OUTPUT, "index.html"), "utf8");
      const inline = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
        ([, text = ""]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`,
      );
      const policy = [
        "default-src 'none'",
        `script-src 'self' ${inline.join(" ")}`,
        // The diff viewer sizes its columns with style attributes.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
      ].join("; ");
      const lines = [
        "/*",
        `  Content-Security-Policy: ${policy}`,
        "  X-Content-Type-Options: nosniff",
        "  Referrer-Policy: no-referrer",
        "  Permissions-Policy: camera=(), microphone=(), geolocation=()",
        "/assets/*",
        "  Cache-Control: public, max-age=31536000, immutable",
      ];
      writeFileSync(path.join(OUTPUT, "_headers"), `${lines.join("\n")}\n`);
    },
  };
}

/** Puts the manifest beside the output, for what measures it; what stands in the output is served. */
function manifestAside(): Plugin {
  return {
    name: "manifest-aside",
    apply: "build",
    writeBundle: {
      order: "post",
      handler() {
        renameSync(path.join(OUTPUT, ".vite/manifest.json"), path.join(OUTPUT, "../client.manifest.json"));
        rmSync(path.join(OUTPUT, ".vite"), { recursive: true });
      },
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwindcss(), securityHeaders(), manifestAside()],
  build: {
    outDir: OUTPUT,
    emptyOutDir: true,
    manifest: true,
    target: "es2023",
    // Fonts and images as files: the policy allows none inline but icons.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_200,
  },
});
