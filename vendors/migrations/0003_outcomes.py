"""What becomes of a mail to a vendor in the outbox is written into the mail, its rows and its addresses.

See docs/decisions/0015-outcomes-by-trigger.md. The condition of the trigger spares all other messages, and those steps of
a message that are no outcome.
"""

from django.db import migrations

FUNCTION = r"""
CREATE FUNCTION momo_vendor_mail_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    outcome text := CASE WHEN NEW.status IN ('sent', 'held', 'failed', 'cancelled') THEN NEW.status ELSE 'queued' END;
    written record;
BEGIN
    UPDATE vendors_vendormail SET
        status = outcome,
        reason = CASE WHEN outcome = 'cancelled' THEN '寄送被取消' ELSE NEW.reason END,
        sent_at = CASE WHEN outcome = 'sent' THEN NEW.sent_at ELSE sent_at END
    WHERE message_id = NEW.id
    RETURNING id, vendor_id INTO written;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- In the order in which sendings lock them.
    PERFORM 1 FROM vendors_stockout WHERE mail_id = written.id ORDER BY id FOR NO KEY UPDATE;
    -- A late outcome takes no answer back.
    UPDATE vendors_stockout SET
        status = CASE
            WHEN status IN ('replied', 'resolved') THEN status
            -- The vendor had no address when the row was to be sent again: only success is news.
            WHEN status IN ('pending', 'no_email') AND outcome IN ('failed', 'cancelled') THEN status
            WHEN outcome = 'sent' THEN 'sent'
            WHEN outcome IN ('failed', 'cancelled') THEN 'failed'
            ELSE 'queued'
        END,
        notified_at = CASE WHEN outcome = 'sent' THEN coalesce(notified_at, NEW.sent_at) ELSE notified_at END
    WHERE mail_id = written.id;
    UPDATE vendors_vendoraddress a SET bounced_at = now(), bounce_reason = left(one ->> 'reason', 500)
    FROM jsonb_array_elements(NEW.refused) one
    WHERE a.vendor_id = written.vendor_id AND a.mailbox = lower(one ->> 'address') AND a.bounced_at IS NULL
        AND NEW.refused IS DISTINCT FROM OLD.refused;
    RETURN NULL;
END $$
"""
TRIGGER = r"""
CREATE TRIGGER vendor_mail_outcome AFTER UPDATE ON notifications_outboxmessage FOR EACH ROW
WHEN (
    NEW.event LIKE 'vendor\_%'
    AND (
        (OLD.status IS DISTINCT FROM NEW.status AND (
            OLD.status IN ('sent', 'held', 'failed', 'cancelled') OR NEW.status IN ('sent', 'held', 'failed', 'cancelled')
        ))
        OR OLD.refused IS DISTINCT FROM NEW.refused
    )
)
EXECUTE FUNCTION momo_vendor_mail_outcome()
"""


class Migration(migrations.Migration):
    dependencies = [("vendors", "0002_import"), ("notifications", "0007_several_recipients")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION momo_vendor_mail_outcome()"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER vendor_mail_outcome ON notifications_outboxmessage"),
    ]
