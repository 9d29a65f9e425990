// The page is looked at while the server goes, comes back, and recess itself goes: each is said.
import { assert, browse, look, ready, until } from './browser.mjs';

await browse(async browser => {
  const page = await look(browser);
  const says = async (what, word, pattern) => {
    ready(word);
    const began = Date.now();
    await until(what, 20_000, async () => pattern.test(await page.locator('body').innerText()));
    const took = Date.now() - began;
    console.log(`${what} ${took} ms after it`);
    assert(took < 10_000, `${what} only after ${took} ms`);
  };
  assert.match(await page.locator('header').innerText(), /\bconnected/);
  assert.doesNotMatch(await page.locator('header').innerText(), /not connected/);
  await says('it says that there is no server', 'server-goes', /not connected/);
  assert.doesNotMatch(await page.title(), /^✓/);
  await says('it says that there is a server again', 'server-comes', /connected(?<!not connected) nats-server/);
  assert.deepEqual(page.complaints, []);
  await says('it says that recess is gone', 'recess-goes', /recess has not answered since .*: this page shows what was before/);
  const alert = page.locator('[role=alert]');
  assert.equal(await alert.count(), 1);
  assert(await alert.isVisible());
  await says('it says so no more', 'recess-comes', /^(?!.*has not answered)/s);
  assert.equal(await alert.count(), 0);
});
