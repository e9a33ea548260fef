// main.mjs URL DRIVER BROWSER SCREENSHOTS: what people do with the pages.
import { start, stop } from './browser.mjs';
import { flow } from './flow.mjs';
import { errors } from './errors.mjs';
import { account } from './account.mjs';
import { sites } from './sites.mjs';
import { look } from './look.mjs';

await start();
for (const part of [flow, errors, account, sites, look]) {
  const began = Date.now();
  await part();
  if (process.env.TIMES) console.log(`${part.name}: ${Date.now() - began} ms`);
}
await stop();
