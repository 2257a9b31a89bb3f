/** The head of the page is the server's: saved or published, it has another name and other tabs. */
export async function renewHead(address: string): Promise<void> {
  const answer = await fetch(address, { credentials: 'same-origin' }).catch(() => null);
  if (!answer?.ok || answer.redirected) return; // it stays as it was
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  document.title = fresh.title;
  for (const part of ['header.top', 'nav.tabs']) {
    const put = fresh.querySelector(`.celesta ${part}`);
    const old = document.querySelector(`.celesta ${part}`);
    // What stays as it is keeps the focus, and is there for whoever is just clicking on it.
    if (put && old && !old.isEqualNode(put)) old.replaceWith(put);
  }
}
