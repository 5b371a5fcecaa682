// A person's walk through the pages, in Chromium: sign up, add a server, write a policy, mint a grant, call, read the log.
// Reads {url, chromium, upstreamKey, password, screens} from standard input; leaves screenshots of each station, at two
// widths, light and dark. Ends with an error at the first thing that is not as it should be.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { chromium } from 'playwright-core';
import { agent } from './agent.mjs';
import { simulate, simulatePlainly } from './simulate.mjs';

const task = JSON.parse(await text(process.stdin));
const WIDTHS = [1280, 390];
const SCHEMES = ['light', 'dark'];
// As root there is no sandbox; the other switches keep the browser from asking its maker's servers anything.
const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];
const PERSON = 'ada@example.com';
/** What the SDK makes of the gateway's 401. */
const REFUSED = /HTTP 401|no valid grant/;

const browser = await chromium.launch({ executablePath: task.chromium, args: ARGUMENTS });
const context = await browser.newContext({ viewport: { width: WIDTHS[0], height: 900 } });
context.setDefaultTimeout(30_000);
const page = await context.newPage();
const complaints = [];
page.on('console', (message) => message.type() === 'error' && complaints.push(`${message.text()} at ${message.location().url}`));
page.on('pageerror', (error) => complaints.push(String(error)));
const asked = [];
page.on('dialog', (dialog) => {
  asked.push(dialog.type());
  return dialog.accept();
});
await mkdir(task.screens, { recursive: true });

/** Pictures of the page as it is, and whether it fits the narrow width. */
async function shoot(name) {
  await page.evaluate(() => scrollTo(0, 0));
  for (const colorScheme of SCHEMES) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${name} is ${wide} px wide at ${width}`);
      // Hiding the caret would take an inline style, which the pages' policy rightly refuses.
      const path = join(task.screens, `${name}-${width}-${colorScheme}.png`);
      // To hide the caret would take an inline style, which the pages' policy rightly refuses.
      await page.screenshot({ path, fullPage: true, caret: 'initial' });
    }
  }
  await page.emulateMedia({ colorScheme: SCHEMES[0] });
  await page.setViewportSize({ width: WIDTHS[0], height: 900 });
}

const button = (name) => page.getByRole('button', { name, exact: true });
const link = (name) => page.getByRole('link', { name, exact: true });
const heading = (name) => page.getByRole('heading', { name, exact: true });
const tab = (name) => page.locator('nav.tabs').getByRole('link', { name });

/**
 * Waits until what was brought in is at rest. Only then are its buttons htmx's, and only after it the focus moves, which
 * scrolls: a click that was aimed before would land beside its button.
 */
const settled = () =>
  page.waitForFunction(() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added'));

/** The editor proper, in the place of the plain field. */
const editor = page.locator('.cm-content');

/** Puts `document` into the policy editor, over all that is there. */
async function write(document) {
  await editor.click();
  await page.keyboard.press('ControlOrMeta+A');
  return page.keyboard.insertText(document);
}
const written = () => page.locator('#document').inputValue();
const says = (text) =>
  page.waitForFunction((text) => document.querySelector('#document').value.includes(text), text);
const saysNot = (text) =>
  page.waitForFunction((text) => !document.querySelector('#document').value.includes(text), text);

async function signUp() {
  await page.goto(`${task.url}/signup`);
  await page.getByLabel('E-mail').fill(PERSON);
  await page.getByLabel('Password').fill('short');
  await page.getByLabel('Organisation').fill('Acme');
  await shoot('1-sign-up');
  await button('Create account').click();
  await page.locator('.problem').first().waitFor();
  assert.equal(await page.getByLabel('E-mail').inputValue(), PERSON, 'typed values come back');
  await page.getByLabel('Password').fill(task.password);
  await button('Create account').click();
  await page.waitForURL('**/o/acme');
  await shoot('1-overview');
}

async function addServer() {
  await page.goto(`${task.url}/o/acme/servers/new`);
  await page.getByRole('link', { name: /Flowforge \(demo\)/ }).click();
  await page.waitForURL('**entry=**');
  assert.match(await page.getByLabel('Upstream URL').inputValue(), /^http:.*\/mcp$/);
  await settled();
  await button('Check connection').click();
  await page.locator('#probe').getByText('401').first().waitFor();
  await settled();
  await page.locator('input.mono[name^="header"]').first().fill('X-Api-Key');
  await page.locator('input[type=password]').first().fill(task.upstreamKey);
  await button('Check connection').click();
  const found = page.locator('#probe tbody tr');
  await found.first().waitFor();
  assert.equal(await found.count(), 49);
  await shoot('2-add-server');
  // What was typed into a password field does not come back with the answer, so it is typed again.
  await page.locator('input[type=password]').first().fill(task.upstreamKey);
  await button('Add server').click();
  await page.waitForURL(/\/servers\/[0-9a-f-]{36}/);
  const server = page.url().match(/\/servers\/([0-9a-f-]{36})/)[1];
  await shoot('2-server');
  await tab('Tools').click();
  await page.waitForURL('**/tools*');
  assert.equal(await page.locator('tbody tr').count(), 49);
  await shoot('2-tools');
  return server;
}

const POLICY = {
  version: '1',
  default: 'deny',
  hide: ['flowforge_delete_*'],
  tools: { 'flowforge_list_*': {}, 'flowforge_get_*': {} },
};

/** Problems stand at their place while the text is typed, and what the language has is offered. */
async function typePolicy() {
  await write(JSON.stringify(POLICY, null, 2).replace('"default"', '"defualt"'));
  const wrong = page.locator('.cm-lintRange-error', { hasText: 'defualt' });
  await wrong.waitFor();
  assert.equal(await wrong.innerText(), '"defualt"');
  await wrong.hover();
  await page.locator('.cm-tooltip-lint', { hasText: 'Unknown field defualt' }).waitFor();
  await page.locator('#problems').getByText(/defualt/).first().waitFor();
  await page.locator('#problems').getByText('Line 3').click();
  assert.match(await page.locator('.cm-activeLine').innerText(), /defualt/);
  await shoot('3-problems');
  await write('{ "version": "1", "default": "deny", ');
  await page.keyboard.type('"hi');
  // Not by Enter: the list does not take it right after it has opened.
  await page.locator('.cm-tooltip-autocomplete').getByText('"hide"').click();
  await page.keyboard.type('"flowforge_del');
  await page.keyboard.press('Control+Space');
  await page.locator('.cm-tooltip-autocomplete').getByText('"flowforge_delete_task"').waitFor();
  await shoot('3-complete');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => !document.activeElement.matches('.editor-host')), 'Escape and Tab leave the editor');
  assert.equal(await written(), '{ "version": "1", "default": "deny", "hide": ["flowforge_del"]');
}

/** The table writes into the JSON as soon as a choice is made, and is read from it anew; what it wrote can be undone. */
async function chooseTools() {
  const row = (tool) => page.locator('#tool-rows tr', { has: page.getByRole('link', { name: tool, exact: true }) });
  await row('flowforge_retry_run').getByLabel('What happens to').selectOption({ label: 'Limit' });
  await says('flowforge_retry_run');
  await row('flowforge_retry_run').getByLabel('Calls').fill('2');
  await row('flowforge_retry_run').getByLabel('Calls').press('Tab');
  await says('"2/minute"');
  await row('flowforge_cancel_run').getByLabel('What happens to').selectOption({ label: 'Ask' });
  await says('"flowforge_cancel_run": { "action": "require_approval" }');
  await editor.click();
  await page.keyboard.press('ControlOrMeta+Z');
  await saysNot('require_approval');
  assert.ok((await written()).includes('"2/minute"'), 'one choice is undone at a time');
  await page.keyboard.press('ControlOrMeta+Y');
  await says('require_approval');
  // Once the text rests, the table follows it.
  await page.waitForFunction(() => document.querySelector('[aria-label="What happens to flowforge_cancel_run"]')?.value === 'ask');

  await row('flowforge_send_event').getByLabel('What happens to').selectOption({ label: 'Custom' });
  await button('Add denial').click();
  await page.getByLabel('What is looked at').fill('args.name');
  await page.getByLabel('What it is compared with').fill('x');
  await button('Add limit').click();
  await page.getByLabel('At most').fill('many');
  await button('Write into the JSON').click();
  await page.locator('.problem', { hasText: 'write a number' }).waitFor();
  assert.equal(await page.getByLabel('At most').inputValue(), 'many', 'typed values come back');
  await shoot('3-custom');
  await page.getByLabel('At most').fill('50');
  await button('Write into the JSON').click();
  await says('{ "path": "args.name", "op": "eq", "value": "x" }');
  await says('"max": 50');
  assert.equal(await row('flowforge_send_event').getByLabel('What happens to').inputValue(), 'custom');
  await row('flowforge_send_event').getByRole('link').click();
  await page.locator('.cm-rule', { hasText: 'flowforge_send_event' }).first().waitFor();
}

async function writePolicy() {
  await tab('Policies').click();
  await page.getByRole('link', { name: /policy$/ }).filter({ visible: true }).first().click();
  await page.waitForURL('**/policies/new*');
  await page.getByRole('link', { name: /^Read only/ }).click();
  await page.waitForURL('**from=read-only');
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Read only');
  await shoot('3-new');
  await page.getByLabel('Name', { exact: true }).fill('Support agents');
  await typePolicy();
  await write(JSON.stringify(POLICY, null, 2));
  await button('Check').click();
  await page.getByText('The policy can be saved.').waitFor();
  await chooseTools();
  await shoot('3-policy');
  await button('Save policy').click();
  await page.getByText('Version 1 is in force').waitFor();
  const second = { ...JSON.parse(await written()), description: 'Read runs, retry a few' };
  await write(JSON.stringify(second, null, 2));
  await page.keyboard.press('ControlOrMeta+S');
  await page.getByText('Version 2 is in force').waitFor();
  await link('History').click();
  await page.getByText(PERSON).first().waitFor();
  await shoot('3-history');
  await link('What changed').click();
  await page.getByText('Read runs, retry a few').first().waitFor();
  await shoot('3-changes');
  return page.url().match(/(.*\/policies\/[0-9a-f-]{36})/)[1];
}

async function mintGrant(server) {
  await page.goto(`${task.url}/o/acme/servers/${server}/grants`);
  await link('Mint grant').first().click();
  await page.getByLabel('Label').fill('CI bot');
  await page.getByLabel('Identity').fill('ci@example.com');
  await page.getByLabel('Policy').selectOption({ label: 'Support agents' });
  await shoot('4-mint');
  await button('Mint grant').click();
  const token = await page.locator('#grant-token').innerText();
  assert.match(token, /^tg_grant_/);
  assert.ok((await page.locator('.clients').innerText()).includes('Claude Code'));
  await shoot('4-token');
  await link('I have stored it').click();
  await page.getByText('CI bot').first().waitFor();
  await shoot('4-grants');
  return token;
}

/** Rotates and reveals: the old token is refused at once, the new one is the one revealed. */
async function rotate(server, old) {
  await page.goto(`${task.url}/o/acme/servers/${server}/grants`);
  await link('CI bot').click();
  await shoot('4-grant');
  const grant = page.url();
  await button('Rotate token').click();
  const token = await page.locator('#grant-token').innerText();
  assert.notEqual(token, old);
  await assert.rejects(agent(task.url, server, old), REFUSED);
  await page.goto(grant);
  await page.getByLabel('Your password').fill(task.password);
  await button('Reveal token').click();
  assert.equal(await page.locator('#grant-token').innerText(), token);
  return token;
}

async function call(server, token) {
  const calls = await agent(task.url, server, token);
  assert.equal(await calls.tool('flowforge_list_runs'), 'allowed');
  assert.equal(await calls.tool('flowforge_retry_run', { run_id: 'run-0002' }), 'allowed');
  assert.equal(await calls.tool('flowforge_retry_run', { run_id: 'run-0002' }), 'allowed');
  assert.equal(await calls.tool('flowforge_retry_run', { run_id: 'run-0002' }), 'denied');
  assert.equal(await calls.tool('flowforge_send_event', { name: 'x' }), 'denied');
  assert.equal(await calls.tool('flowforge_delete_task', { task_id: 'task-0001' }), 'unknown');
  return calls;
}

async function readLog(calls) {
  await page.goto(`${task.url}/o/acme/log`);
  const rows = page.locator('#decisions tr');
  for (let tries = 0; (await rows.filter({ hasText: 'flowforge_' }).count()) < 6; tries += 1) {
    assert.ok(tries < 100, 'the log has the six calls');
    await page.waitForTimeout(100);
    await page.reload();
  }
  await shoot('5-log');
  await button('Live').click();
  const before = await rows.count();
  await calls.tool('flowforge_get_stats');
  await page.waitForFunction((count) => document.querySelectorAll('#decisions tr').length > count, before);
  await page.locator('#decisions tr', { hasText: 'flowforge_get_stats' }).waitFor();

  await page.goto(`${task.url}/o/acme/log`);
  await page.getByLabel('Outcome').selectOption('limit');
  await button('Filter').click();
  await page.waitForURL('**outcome=limit*');
  assert.equal(await rows.count(), 1);
  await shoot('5-filtered');
  await rows.first().getByRole('link').first().click();
  await page.getByText('/tools/flowforge_retry_run/rate_limit').first().waitFor();
  await page.getByText('2 of 2 used').waitFor();
  await shoot('6-decision');
  await link('Open in the policy').click();
  await page.waitForURL('**/policies/**');
  await page.getByText('rate_limit').first().waitFor();
  await shoot('6-rule');
  await link('Edit policy').click();
  await page.locator('.cm-rule', { hasText: '"rate_limit": "2/minute"' }).waitFor();
}

/** A call that the policy asks about waits in the inbox; a person looks at it and approves it, and it runs once. */
async function approve(calls) {
  const cancel = () => calls.tool('flowforge_cancel_run', { run_id: 'run-0003' });
  assert.equal(await cancel(), 'waiting');
  await page.goto(`${task.url}/o/acme`);
  await link('1 call waits for approval').waitFor();
  await shoot('9-overview');
  await link('Approvals 1 waiting').click();
  await page.waitForURL('**/approvals');
  await shoot('9-approvals');
  await link('flowforge_cancel_run').click();
  await page.waitForURL(/\/approvals\/[0-9a-f-]{36}$/);
  await page.getByText('"run_id": "run-0003"').waitFor();
  await shoot('9-question');
  await page.getByLabel('Note to the agent').fill('Fine, this once.');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText(`Approved by ${PERSON}: the call can be made once`).waitFor();
  // The focus goes to what changed.
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  assert.equal(await page.getByText('run-0003').count(), 0, 'the values are gone');
  assert.equal(await cancel(), 'allowed');
  await page.reload();
  await page.getByText(`Approved by ${PERSON}, and the call was made`).waitFor();
  await shoot('9-used');
  assert.equal(await cancel(), 'waiting', 'an approval is good for one call');
}

async function revoke(server, calls) {
  await page.goto(`${task.url}/o/acme/servers/${server}/grants`);
  await link('CI bot').click();
  await button('Revoke CI bot').click();
  await page.getByText('was revoked').waitFor();
  await assert.rejects(calls.tool('flowforge_list_runs'), REFUSED);
  await shoot('6-revoked');
}

/** An API key, made in the pages, reads the same log. */
async function makeKey() {
  await page.goto(`${task.url}/o/acme/keys`);
  await page.getByLabel('Label').fill('log export');
  await button('Make key').click();
  const key = await page.locator('#token').innerText();
  await shoot('7-key');
  const headers = { Authorization: `Bearer ${key}` };
  const answer = await fetch(`${task.url}/api/v1/audit/decisions?outcome=limit`, { headers });
  assert.equal(answer.status, 200);
  const { items } = await answer.json();
  assert.deepEqual(items.map((row) => [row.tool, row.outcome]), [['flowforge_retry_run', 'limit']]);
}

/** The same pages without JavaScript: logging in, filtering the log, opening a decision, refusing a call, changing a policy. */
async function withoutScripts(policy) {
  const plain = await browser.newContext({ javaScriptEnabled: false });
  const page = await plain.newPage();
  await page.goto(`${task.url}/login`);
  await page.getByLabel('E-mail').fill(PERSON);
  await page.getByLabel('Password').fill(task.password);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await page.waitForURL('**/o/acme');
  await page.goto(`${task.url}/o/acme/log`);
  await page.getByLabel('Outcome').selectOption('hidden');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.locator('#decisions tr a').first().click();
  await page.getByText('flowforge_delete_task').first().waitFor();
  await simulatePlainly(page, `${task.url}/o/acme/servers/${server}/policies`, 'Support agents');

  const press = (name) => page.getByRole('button', { name, exact: true }).click();
  await page.goto(`${task.url}/o/acme/approvals?state=pending`);
  await page.getByRole('link', { name: 'flowforge_cancel_run', exact: true }).click();
  await page.getByText('it can only be refused').waitFor();
  await page.getByLabel('Note to the agent').fill('Its grant is revoked.');
  await press('Refuse');
  await page.getByText(`Refused by ${PERSON}: Its grant is revoked.`).waitFor();
  const text = page.locator('textarea#document');
  await page.goto(policy);
  await page.getByLabel('What happens to flowforge_replay_run').selectOption({ label: 'Ask' });
  await press('Write choices into the JSON');
  assert.match(await text.inputValue(), /"flowforge_replay_run": \{\s*"action": "require_approval"\s*\}/);
  await press('Conditions and limits of flowforge_list_runs');
  await press('Add requirement');
  await page.getByLabel('What is looked at').fill('args.limit');
  await page.getByLabel('What is asked of it').selectOption('lte');
  await page.getByLabel('What it is compared with').fill('lots');
  await press('Write into the JSON');
  await page.locator('.problem', { hasText: 'write a number' }).waitFor();
  await page.getByLabel('What it is compared with').fill('100');
  await press('Write into the JSON');
  assert.ok((await text.inputValue()).includes('{ "path": "args.limit", "op": "lte", "value": 100 }'));
  await press('Save version 3');
  await page.getByText('Version 3 is in force').waitFor();
  await page.screenshot({ path: join(task.screens, '8-without-scripts.png'), fullPage: true, caret: 'initial' });
  await plain.close();
}

await signUp();
const server = await addServer();
const policy = await writePolicy();
const token = await rotate(server, await mintGrant(server));
const calls = await call(server, token);
await readLog(calls);
await simulate({ page, shoot, write, written }, `${task.url}/o/acme/servers/${server}/policies`, 'Support agents');
await approve(calls);
await revoke(server, calls);
assert.deepEqual(asked, ['beforeunload'], 'of what is left unsaved, the draft alone was changed');
await makeKey();
await withoutScripts(policy);
// A password that is too short and a limit that is no number are answered with 422, which the browser counts as a failed load.
const unexpected = complaints.filter((complaint) => !/ 422 .*\/(signup|policies\/new)$/.test(complaint));
assert.deepEqual(unexpected, [], 'the browser complains of nothing');
await browser.close();
