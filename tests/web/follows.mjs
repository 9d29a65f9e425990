// The page is looked at while a window opens: it shows so soon, and nothing jumps.
import { assert, browse, look, rest, until } from './browser.mjs';

const opens = Number(rest[0]);

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
  await until('the window is open', opens - Date.now() + 15_000, () => Date.now() >= opens);
  await until('the page shows the pauses', 15_000, async () => await page.locator('.st.paused').count() === 2);
  const took = Date.now() - opens;
  console.log(`shown ${took} ms after the opening`);
  assert(took < 6000, `shown ${took} ms after the opening`);
  assert.match(await page.title(), /paused/);
  const after = await place(page);
  // The page may have grown above: what is looked at stays where it is.
  const { scroll: _, ...seen } = before;
  const { scroll: grown, ...still } = after;
  assert.deepEqual(still, seen);
  assert(grown >= before.scroll, `${grown} after ${before.scroll}`);
  assert.deepEqual(page.complaints, []);
});
