const KEPT_MS = 60_000;

/** Hands a file to whoever reads the page. Nothing is asked of a server; a page from disk can do it. */
export function download(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
