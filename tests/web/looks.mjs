// How the page is: accessible, silent, whole on a telephone and on paper, and inert whatever is in it.
import { writeFileSync } from 'node:fs';
import { assert, axe, browse, look, polled, rest, url } from './browser.mjs';

const [picture, ...hostile] = rest;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

await browse(async browser => {
  // Each beside the others: the polls are waited for once.
  const results = await Promise.allSettled(
    [accessible, silent, narrow, printed, reachable, unscripted, elsewhere, pictured].map(async test => {
      try {
        await test(browser);
      } catch (error) {
        throw new Error(`${test.name}: ${error.message}`, { cause: error });
      }
    }));
  const wrong = results.filter(result => result.status === 'rejected').map(result => result.reason);
  wrong.forEach(error => console.error(error));
  assert.equal(wrong.length, 0, wrong.map(error => error.message).join('\n'));
});

/** 0 violations by axe, in light and dark, wide and narrow. */
async function accessible(browser) {
  for (const colorScheme of ['light', 'dark']) {
    for (const device of [{}, PHONE]) {
      // axe is put into the page, which the policy forbids.
      const page = await look(browser, { colorScheme, bypassCSP: true, ...device });
      await page.addScriptTag({ path: axe });
      const { violations, passes } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }));
      const said = violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join('\n')}`);
      assert.deepEqual(said, [], `${colorScheme} ${JSON.stringify(device)}`);
      assert(passes.length > 15, `axe has judged only ${passes.length} rules`);
      await page.context().close();
    }
  }
}

/** Nothing in the console and no request to anyone else, though the page is asked for again; what others wrote does nothing. */
async function silent(browser) {
  const page = await look(browser);
  const text = await page.locator('body').innerText();
  for (const letters of hostile) assert(text.includes(letters), `${letters} is not in the page`);
  await polled(page, 2);
  assert.deepEqual(page.complaints, []);
  const { origin } = new URL(url);
  assert(page.asked.length >= 3, `${page.asked}`);
  for (const asked of page.asked) assert(asked.startsWith('data:image/') || new URL(asked).origin === origin, asked);
  const live = await page.evaluate(() => [...document.querySelectorAll('*')].flatMap(element =>
    [...element.attributes].map(({ name }) => name).filter(name => /^on|^style$|^src$/.test(name))));
  assert.deepEqual(live, []);
  const strangers = await page.evaluate(() => ({
    scripts: document.scripts.length, images: document.images.length, frames: frames.length, pwned: globalThis.pwned ?? null,
  }));
  assert.deepEqual(strangers, { scripts: 1, images: 0, frames: 0, pwned: null });
  // The policy is in force: a script of another text does not run, and that is said.
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.pwned = 1';
    document.body.append(script);
    return globalThis.pwned ?? null;
  });
  assert.equal(ran, null);
  assert.match(page.complaints.join('\n'), /Content Security Policy/);
}

/** No sideways scrolling on a telephone, but in the charts' own frames. */
async function narrow(browser) {
  for (const width of [390, 320]) {
    const page = await look(browser, { ...PHONE, viewport: { width, height: 844 } });
    const { wide, inner } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, inner: innerWidth }));
    assert(wide <= width && inner <= width, `${wide} (${inner}) of ${width}`);
  }
}

/** At most three pages of paper. */
async function printed(browser) {
  const page = await look(browser);
  const pdf = await page.pdf({ format: 'A4', printBackground: true, preferCSSPageSize: true });
  const sheets = pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g)?.length ?? 0;
  assert(sheets >= 1 && sheets <= 3, `${sheets} pages`);
}

/** The Tab key comes to everything that can be used, and each time it is seen where it is. */
async function reachable(browser) {
  const page = await look(browser);
  const all = await page.evaluate(() => {
    const usable = document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]');
    // Polls leave the elements in place, and no mark on them.
    globalThis.usable = [...usable].filter(element => element.checkVisibility());
    return globalThis.usable.map((_, number) => number);
  });
  assert(all.length >= 4, `only ${all.length} can be used`);
  const reached = new Set();
  for (let presses = 0; presses < all.length + 2; presses += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const number = globalThis.usable.indexOf(document.activeElement);
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      const box = document.activeElement.getBoundingClientRect();
      const seen = outlineStyle !== 'none' && parseFloat(outlineWidth) > 0 && box.width > 0 && box.right > 0 && box.bottom > 0;
      return number < 0 ? null : { number, seen, html: document.activeElement.outerHTML };
    });
    if (!at) continue;
    assert(at.seen, `the focus is not seen on ${at.html}`);
    reached.add(at.number);
    if (presses === 0) {
      assert.match(at.html, /href="#consumers"/, 'the first is the way past the head');
    }
  }
  const missed = all.filter(number => !reached.has(number));
  assert.deepEqual(missed, []);
}

/** Without a script it is loaded again. */
async function unscripted(browser) {
  const page = await look(browser, { javaScriptEnabled: false });
  const refresh = await page.locator('meta[http-equiv=refresh]').getAttribute('content');
  assert.equal(refresh, '30');
  assert.deepEqual(page.complaints, []);
}

/** Under a foreign site's name there is no page. */
async function elsewhere(browser) {
  const { port } = new URL(url);
  const page = await look(browser, {}, `http://evil.example:${port}/`);
  assert.equal(page.first.status(), 421);
  assert.match(page.first.headers()['content-type'], /^text\/plain/);
  assert.match(await page.locator('body').innerText(), /^host evil.example: /);
}

/** The page as the documents show it. */
async function pictured(browser) {
  const page = await look(browser);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: 1240, height: Math.min(height, 1500) });
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 80 });
  const image = Buffer.from(data, 'base64');
  assert(image.length > 10_000 && image.length < 120_000, `the picture has ${image.length} bytes`);
  if (picture) writeFileSync(picture, image);
}
