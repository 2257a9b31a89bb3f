import { readdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Every file of src/pages is a page's script, built under its own name: the templates name it.
const pages = resolve(import.meta.dirname, 'src/pages');
const input = Object.fromEntries(
  readdirSync(pages).map((file) => [basename(file, '.ts'), resolve(pages, file)]),
);

export default defineConfig({
  plugins: [svelte()],
  publicDir: false,
  build: {
    // Inside the package, so that the wheel carries it.
    outDir: resolve(import.meta.dirname, '../apps/celesta/console/static/celesta/built'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    // One style sheet for all pages: pages.css.
    cssCodeSplit: false,
    chunkSizeWarningLimit: 2000,
    // The texts of the licences of what is bundled go where the bundle goes.
    license: { fileName: 'licenses.md' },
    rollupOptions: {
      input,
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: 'chunk-[name].js',
        assetFileNames: 'pages[extname]',
      },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
