// main.mjs URL DRIVER BROWSER SCREENSHOTS: what people do with the pages.
import { start, stop } from './browser.mjs';
import { flow } from './flow.mjs';
import { errors } from './errors.mjs';
import { account } from './account.mjs';
import { profile } from './profile.mjs';
import { sites } from './sites.mjs';
import { look } from './look.mjs';

await start();
// PARTS="profile look" in the environment: these alone.
const parts = [flow, errors, account, profile, sites, look].filter((part) =>
  !process.env.PARTS || process.env.PARTS.split(' ').includes(part.name));
for (const part of parts) {
  const began = Date.now();
  await part();
  if (process.env.TIMES) console.log(`${part.name}: ${Date.now() - began} ms`);
}
await stop();
