CREATE TABLE emails (
    email text PRIMARY KEY,
    unsubscribeSecretHex text NOT NULL UNIQUE,
    lastEmailNotificationDate timestamp NOT NULL,
    pendingEmails integer NOT NULL DEFAULT 0,
    sendReplyNotifications boolean NOT NULL DEFAULT false,
    sendModeratorNotifications boolean NOT NULL DEFAULT true
);
