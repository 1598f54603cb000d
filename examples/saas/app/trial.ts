// What the application sends when a trial begins. Ids differ per account, keys do not: a key that is no longer in
// config/ does not compile.
import { account } from "./ids.js";

export function trialStarted(contact: string, user: string): { path: string; body: unknown }[] {
  const ids = account();
  return [
    { path: "/contactTags", body: { contactTag: { contact, tag: ids.tags.trial_started.id } } },
    { path: "/contactLists", body: { contactList: { contact, list: ids.lists.users.id, status: "1" } } },
    { path: "/fieldValues", body: { fieldValue: { contact, field: ids.fields.user_id.id, value: user } } },
    {
      path: "/fieldValues",
      body: { fieldValue: { contact, field: ids.fields.plan.id, value: ids.fields.plan.options.Free.value } },
    },
    {
      path: "/deals",
      body: {
        deal: {
          contact,
          title: user,
          value: 0,
          currency: "usd",
          group: ids.pipelines.trials.id,
          stage: ids.pipelines.trials.stages.started.id,
        },
      },
    },
  ];
}
