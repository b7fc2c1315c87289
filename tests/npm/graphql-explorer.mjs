// Chromium on the explorer of a node: signs in, runs the query that it begins with, a mutation and a subscription.
//   node graphql-explorer.mjs <address> <email> <password> <chromium>; prints what was seen, as JSON.
import { chromium } from 'playwright-core';

const [address, email, password, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage(), refused = [], hosts = new Set(), origin = `http://localhost:${new URL(address).port}`;
  page.on('console', (message) => { if (/Content Security Policy/.test(message.text())) refused.push(message.text()); });
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.goto(origin + '/graphql');
  await page.fill('input[name=email]', email);
  await page.fill('input[name=password]', password);
  await page.click('button[type=submit]');
  await page.waitForSelector('.graphiql-execute-button');
  const run = async (text) => {
    await page.click('.graphiql-query-editor .CodeMirror');
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(text);
    await page.click('.graphiql-execute-button');
  };
  const shows = (part) => page.waitForFunction((part) => document.querySelector('.result-window')?.textContent.includes(part), part, { timeout: 20_000 });
  await page.click('.graphiql-execute-button');
  await shows('"resources"');
  await run('mutation { createResource(input: {name: "explored", type: "explored"}) { resource { name version } } }');
  await shows('"explored"');
  await run('subscription { events(after: "0") { type } }');
  await shows('"resource.created"');
  console.log(JSON.stringify({ refused, hosts: [...hosts].filter((host) => host !== new URL(origin).host && host) }));
} finally {
  await browser.close();
}
