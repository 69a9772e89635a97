/**
 * Program: serves `app.ts`.
 *
 *     node sdk/examples/service/main.ts
 *
 * `PORT` (8080) says where, `GLOCAL_ADDRESS` (localhost:50061) where the trainer is. Ctrl-C ends it; studies go on.
 */

import { GlocalClient } from '@glocal/sdk';
import { tuningService } from './app.ts';

const client = await GlocalClient.connect();
const app = tuningService(client);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    client.close();
    void app.close();
  });
}
console.log(`POST ${await app.listen({ port: Number(process.env.PORT ?? 8080) })}/studies`);
