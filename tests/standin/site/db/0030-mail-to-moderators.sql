ALTER TABLE domains ADD emailNotificationPolicy text DEFAULT 'pending-moderation';
