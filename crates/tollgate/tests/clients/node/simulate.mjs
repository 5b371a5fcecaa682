// The station of the walk where a policy is tried out: on a call, on a call of the log, as a draft, and on every tool.
import assert from 'node:assert/strict';

const SEND = 'flowforge_send_event';

/** `walk` has the page, `shoot`, and what writes into and reads from the editor; `policies` is the address of the list. */
export async function simulate(walk, policies, name) {
  const { page, shoot, write, written } = walk;
  const button = (label) => page.getByRole('button', { name: label, exact: true });
  const link = (label) => page.getByRole('link', { name: label, exact: true });
  const verdict = page.locator('#verdict');
  const tool = page.getByLabel('Tool', { exact: true });
  const shown = page.locator('.matrix tbody tr');

  await page.goto(policies);
  await link(name).click();
  await link('Simulate').click();
  await page.waitForURL('**/simulate');
  await tool.fill('flowforge_retry_run');
  await button('Fill in arguments').click();
  await page.waitForURL('**call=flowforge_retry_run**');
  assert.match(await page.getByLabel('Arguments, JSON').inputValue(), /"<run_id>"/);
  await page.getByLabel('Arguments, JSON').fill('{ "run_id": "run-0002" }');
  await button('Simulate').click();
  await page.waitForURL('**run-0002**');
  await verdict.getByText('Allowed', { exact: true }).waitFor();
  await verdict.getByText('2 a minute for each grant').waitFor();
  await page.waitForFunction(() => document.activeElement.id === 'go');
  await shoot('8-simulate');
  await page.reload();
  await verdict.getByText('2 a minute for each grant').waitFor();

  await page.getByLabel('Arguments, JSON').fill('{ "run_id": }');
  await button('Simulate').click();
  await page.locator('.problem', { hasText: 'line 1, column 13' }).waitFor();
  await page.waitForFunction(() => document.activeElement.id === 'f-arguments');

  // A tool of the matrix is tried with what it must be given; the page goes back to its top.
  await shown.getByRole('button', { name: 'flowforge_delete_task', exact: true }).click();
  await verdict.getByText('Hidden', { exact: true }).waitFor();
  assert.equal(await tool.inputValue(), 'flowforge_delete_task');
  await page.getByText('Take a call from the log').click();
  await page.locator('details[open] tbody').getByRole('button', { name: SEND, exact: true }).first().click();
  await page.waitForURL('**decision=**');
  await page.getByText('The values are placeholders').waitFor();
  assert.match(await page.getByLabel('Arguments, JSON').inputValue(), /"<name>"/);
  await page.goBack();
  await verdict.getByText('Hidden', { exact: true }).waitFor();

  await draft({ page, shoot, write, written, button, link, shown });
}

/** A draft goes from the editor to the simulation and back, and is saved nowhere. */
async function draft({ page, shoot, write, written, button, link, shown }) {
  await link('Editor').click();
  await page.locator('#document').waitFor({ state: 'attached' });
  const document = JSON.parse(await written());
  document.tools[SEND] = { action: 'deny', reason: 'Events are sent by people.' };
  document.tools.flowforge_health_check = {};
  delete document.tools['flowforge_list_*'];
  await write(JSON.stringify(document, null, 2));
  await button('Simulate').click();
  await page.getByText('it is not saved').waitFor();
  const all = await shown.count();
  await page.getByRole('button', { name: /^Differences/ }).click();
  await page.waitForFunction((all) => globalThis.document.querySelectorAll('.matrix tbody tr').length < all, all);
  const row = (tool) => shown.filter({ has: page.getByRole('button', { name: tool, exact: true }) });
  assert.match(await row('flowforge_health_check').innerText(), /Opens/);
  assert.match(await row('flowforge_list_runs').innerText(), /Closes/);
  await row('flowforge_list_runs').getByRole('button').click();
  await page.locator('#verdict').getByText('Denied', { exact: true }).waitFor();
  await shoot('8-draft');
  await button('Edit this draft').click();
  await page.getByText('The policy can be saved.').waitFor();
  assert.deepEqual(JSON.parse(await written()), document);
}

/** The same without scripts: a form, an address, a verdict. */
export async function simulatePlainly(page, policies, name) {
  await page.goto(policies);
  await page.getByRole('link', { name, exact: true }).click();
  await page.getByRole('link', { name: 'Simulate', exact: true }).click();
  await page.getByLabel('Tool', { exact: true }).fill('flowforge_delete_task');
  await page.getByRole('button', { name: 'Simulate', exact: true }).click();
  await page.waitForURL('**call=flowforge_delete_task#verdict');
  await page.locator('#verdict').getByText('Hidden', { exact: true }).waitFor();
  await page.getByLabel('Beside').selectOption({ label: 'No policy' });
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.waitForURL('**beside=none**');
  await page.getByRole('button', { name: /^Differences/ }).click();
  await page.waitForURL('**show=differences**');
  const opened = page.locator('.matrix tbody tr', { hasText: 'flowforge_get_run_steps' });
  assert.match(await opened.innerText(), /no policy[^]*Opens/);
}
