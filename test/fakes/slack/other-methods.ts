import { type Method, findRoom } from "./method.ts";
import { Refusal } from "./refusal.ts";

export const OTHER_METHODS: Readonly<Record<string, Method>> = {
  "auth.test": {
    scopes: [],
    run({ workspace, appId }) {
      return {
        url: `https://${workspace.teamId.toLowerCase()}.slack.com/`,
        team: `Team ${workspace.teamId}`,
        user: "infragpt",
        team_id: workspace.teamId,
        user_id: workspace.botUserId,
        bot_id: workspace.botId,
        app_id: appId,
        is_enterprise_install: workspace.isEnterpriseInstall ?? false,
        ...(workspace.enterpriseId === undefined
          ? {}
          : {
              enterprise_id: workspace.enterpriseId,
              enterprise: `Org ${workspace.enterpriseId}`,
            }),
      };
    },
  },
  "users.info": {
    scopes: ["users:read"],
    run({ workspace, args }) {
      const id = args.required("user");
      if (!/^[UW]\w+$/.test(id)) throw new Refusal("user_not_found");
      const isBot = id === workspace.botUserId;
      const name = isBot ? "infragpt" : id.toLowerCase();
      return {
        user: {
          id,
          // Who is who is in the id: "UGUEST1" is a guest, "USTRANGER1" comes through Slack Connect.
          team_id: id.startsWith("USTRANGER") ? "TELSEWHERE" : workspace.teamId,
          is_stranger: id.startsWith("USTRANGER"),
          is_restricted: id.startsWith("UGUEST"),
          is_email_confirmed: true,
          name,
          real_name: name,
          deleted: false,
          is_bot: isBot,
          tz: "Europe/Berlin",
          profile: { display_name: name, real_name: name, email: `${name}@example.com` },
        },
      };
    },
  },
  "assistant.threads.setStatus": {
    scopes: ["chat:write", "assistant:write"],
    run(context) {
      const { args, state } = context;
      const room = findRoom(context, args.required("channel_id"));
      const threadTs = args.required("thread_ts");
      room.statuses.set(threadTs, args.text("status") ?? "");
      state.change.notify();
      return {};
    },
  },
};
