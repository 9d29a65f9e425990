// Debian's chromium, and what every test of the page wants of it: nothing in the console, nothing asked of anyone else.
//
// A test is a program: `node looks.mjs URL [more]`. It says `ready WORD` when it waits for the other side to do something,
// and ends with 0, or with what was wrong.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const modules = createRequire(`${process.env.RECESS_TEST_MODULES}/`);
const { chromium } = modules('playwright-core');
export const axe = modules.resolve('axe-core/axe.min.js');
export { assert };

export const [url, ...rest] = process.argv.slice(2);

/** Says to the other side that it may go on. */
export const ready = word => console.log(`ready ${word}`);

/** Runs a test with a browser of its own. */
export async function browse(test) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // As root there is no sandbox. A foreign name leads here as after DNS rebinding.
    args: ['--no-sandbox', '--host-resolver-rules=MAP evil.example 127.0.0.1'],
  });
  try {
    await test(browser);
  } finally {
    await browser.close();
  }
}

/** A page that notes what it complains of and what it asks for. */
export async function look(browser, options = {}, address = url) {
  const context = await browser.newContext({ viewport: { width: 1240, height: 900 }, colorScheme: 'light', ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.asked = [];
  page.answers = [];
  page.on('console', message => page.complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', error => page.complaints.push(`error: ${error.message}`));
  page.on('dialog', dialog => { page.complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', request => page.asked.push(request.url()));
  page.on('response', response => page.answers.push(response.status()));
  page.first = await page.goto(address);
  return page;
}

/** Waits for the page to have asked again by itself. */
export async function polled(page, times = 1) {
  const before = page.answers.length;
  await until(`${times} polls`, 6000 * times, () => page.answers.length >= before + times);
}

/** Waits for what `probe` says, and how long that took. */
export async function until(what, within, probe) {
  const began = Date.now();
  for (;;) {
    const answer = await probe();
    if (answer) return answer;
    assert(Date.now() - began < within, `waited ${within} ms in vain until ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
