// The page is looked at while a window opens: it shows so (the other side measures how soon), and nothing jumps.
import { assert, browse, look, ready, until } from './browser.mjs';

/** Where a person is in the page. */
const place = page => page.evaluate(() => ({
  loaded: globalThis.loaded,
  scroll: Math.round(scrollY),
  top: Math.round(document.querySelector('footer').getBoundingClientRect().top),
  focus: document.activeElement.textContent,
  selection: getSelection().toString(),
}));

await browse(async browser => {
  const page = await look(browser, { viewport: { width: 1240, height: 320 } });
  assert.equal(await page.locator('.st.paused').count(), 0);
  await page.evaluate(() => {
    globalThis.loaded = 1;
    const link = document.querySelector('footer a');
    link.focus({ preventScroll: true });
    const range = document.createRange();
    range.selectNodeContents(document.querySelector('footer span'));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' });
  });
  const before = await place(page);
  assert(before.scroll > 100 && before.selection.startsWith('recess '), JSON.stringify(before));
  ready('looks');
  await until('the page shows the pauses', 60_000, async () => await page.locator('.st.paused').count() === 2);
  ready('sees');
  assert.match(await page.title(), /paused/);
  const after = await place(page);
  // The page may have grown above: what is looked at stays where it is.
  const { scroll: _, ...seen } = before;
  const { scroll: grown, ...still } = after;
  assert.deepEqual(still, seen);
  assert(grown >= before.scroll, `${grown} after ${before.scroll}`);
  assert.deepEqual(page.complaints, []);
});
