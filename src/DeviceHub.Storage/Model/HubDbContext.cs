using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace DeviceHub.Storage;

/// <summary>
/// The schema and every query of pages and API. Take one from <c>HubReads</c> to read and from <c>HubWrites</c> to
/// write; the ledger's tables are here for their migrations and are written by <c>LedgerWriter</c> alone. What is made from the ledger
/// (<see cref="Payments"/>, <see cref="TerminalTroubles"/>) is in the search file: only a context from <c>HubReads.Search</c> finds it.
/// </summary>
public sealed class HubDbContext(DbContextOptions<HubDbContext> options) : IdentityUserContext<HubUser>(options)
{
    /// <summary>What a terminal reports is not the configuration that is desired: the condition of an index, which a query must have word for word.</summary>
    internal const string Drifts =
        "desired_version > 0 AND (reported_result <> 1 OR reported_version <> desired_version OR reported_hash IS NOT desired_hash)";

    /// <summary>Fixed here, so that an option of the host cannot make the model differ from its migrations.</summary>
    protected override Version SchemaVersion => IdentitySchemaVersions.Version2;

    public DbSet<TerminalRow> Terminals => Set<TerminalRow>();

    public DbSet<LastSeenRow> LastSeen => Set<LastSeenRow>();

    public DbSet<TerminalTroubleRow> TerminalTroubles => Set<TerminalTroubleRow>();

    public DbSet<MerchantRow> Merchants => Set<MerchantRow>();

    public DbSet<StoreRow> Stores => Set<StoreRow>();

    public DbSet<ActivationCodeRow> ActivationCodes => Set<ActivationCodeRow>();

    public DbSet<ActivationUseRow> ActivationUses => Set<ActivationUseRow>();

    public DbSet<ChannelAccountRow> ChannelAccounts => Set<ChannelAccountRow>();

    public DbSet<ApiKeyRow> ApiKeys => Set<ApiKeyRow>();

    public DbSet<SessionRow> Sessions => Set<SessionRow>();

    public DbSet<AuditRow> Audit => Set<AuditRow>();

    public DbSet<PaymentRow> Payments => Set<PaymentRow>();

    public DbSet<ReconciliationRow> Reconciliations => Set<ReconciliationRow>();

    public DbSet<DifferenceRow> Differences => Set<DifferenceRow>();

    public DbSet<RefundProposalRow> RefundProposals => Set<RefundProposalRow>();

    public DbSet<ChargeRow> Charges => Set<ChargeRow>();

    public DbSet<WebhookRow> Webhooks => Set<WebhookRow>();

    public DbSet<WebhookEventRow> WebhookEvents => Set<WebhookEventRow>();

    /// <summary>Ledger rows that what is in the search file does not show yet.</summary>
    public Task<long> PaymentsBehind(CancellationToken cancellationToken) => Database.SqlQueryRaw<long>(SearchSchema.Behind).SingleAsync(cancellationToken);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UnixMilliseconds>();

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        MapFleet(builder);
        MapPeople(builder);
        MapLedger(builder);
        MapSearched(builder);
        MapReconciliation(builder);
        MapCharges(builder);
        foreach (var entity in builder.Model.GetEntityTypes().Where(e => e.ClrType.Name.EndsWith("Row", StringComparison.Ordinal)))
        {
            foreach (var property in entity.GetProperties())
            {
                property.SetColumnName(SnakeCase(property.Name));
            }
        }
    }

    private static void MapFleet(ModelBuilder builder)
    {
        builder.Entity<MerchantRow>().ToTable("merchant");
        builder.Entity<StoreRow>(store =>
        {
            store.ToTable("store");
            store.HasOne(s => s.Merchant).WithMany().HasForeignKey(s => s.MerchantId).OnDelete(DeleteBehavior.Restrict);
        });
        builder.Entity<ChannelAccountRow>(account =>
        {
            account.ToTable("channel_account");
            account.Property(a => a.Version).IsConcurrencyToken();
            account.HasIndex(a => a.MerchantId);
            account.HasOne<MerchantRow>().WithMany().HasForeignKey(a => a.MerchantId).OnDelete(DeleteBehavior.Restrict);
        });
        builder.Entity<TerminalRow>(terminal =>
        {
            terminal.ToTable("terminal").HasKey(t => t.SerialNumber);
            terminal.Property(t => t.Version).IsConcurrencyToken();
            terminal.HasIndex(t => t.MerchantId);
            terminal.HasIndex(t => t.StoreId);
            terminal.HasIndex(t => new { t.Status, t.SerialNumber });
            terminal.HasIndex(t => t.ReportedAt, "IX_terminal_configuration_refused").HasFilter("reported_result > 1");
            terminal.HasIndex(t => t.OtherHardwareAt, "IX_terminal_other_hardware").HasFilter("other_hardware_at IS NOT NULL");
            terminal.HasIndex(t => new { t.Model, t.SerialNumber });
            terminal.HasIndex(t => new { t.StoreName, t.SerialNumber });
            terminal.HasIndex(t => new { t.RegisteredAt, t.SerialNumber });
            terminal.HasIndex(t => t.SerialNumber, "IX_terminal_drifts").HasFilter(Drifts);
        });
        builder.Entity<LastSeenRow>(seen =>
        {
            seen.ToTable("last_seen").HasKey(l => l.SerialNumber);
            // The flag, too, or a count would read every row for it.
            seen.HasIndex(l => new { l.At, l.Connected }, "IX_last_seen_connected").HasFilter("connected");
        });
        builder.Entity<ActivationCodeRow>(code =>
        {
            code.ToTable("activation_code");
            code.HasIndex(c => c.Fingerprint).IsUnique();
            code.HasOne(c => c.Store).WithMany().HasForeignKey(c => c.StoreId).OnDelete(DeleteBehavior.Restrict);
        });
        builder.Entity<ActivationUseRow>(use =>
        {
            use.ToTable("activation_use").HasKey(u => new { u.CodeId, u.SerialNumber });
            use.HasIndex(u => u.SerialNumber);
            use.HasOne<ActivationCodeRow>().WithMany(c => c.Uses).HasForeignKey(u => u.CodeId).OnDelete(DeleteBehavior.Restrict);
        });
    }

    private static void MapPeople(ModelBuilder builder)
    {
        builder.Entity<SessionRow>(session =>
        {
            session.ToTable("session");
            session.HasIndex(s => new { s.UserId, s.Ended });
            session.HasIndex(s => s.Ended);
            session.HasOne<HubUser>().WithMany().HasForeignKey(s => s.UserId).OnDelete(DeleteBehavior.Restrict);
        });
        builder.Entity<ApiKeyRow>(key =>
        {
            key.ToTable("api_key");
            key.HasIndex(k => k.Hash).IsUnique();
        });
        builder.Entity<AuditRow>(audit =>
        {
            audit.ToTable("audit");
            audit.HasIndex(a => a.At);
            audit.HasIndex(a => a.Subject);
        });
    }

    private static void MapLedger(ModelBuilder builder)
    {
        builder.Entity<PaymentEventRow>(e =>
        {
            // A row leaves only in the transaction that wrote it, when its channel order number was taken (LedgerBook). So a committed
            // row id never comes twice and needs no AUTOINCREMENT counter a commit.
            e.ToTable("payment_event").HasKey(r => r.Seq);
            e.Property(r => r.Seq).ValueGeneratedNever();
            e.HasIndex(r => new { r.Payment, r.Version }).IsUnique();
        });
        builder.Entity<PaymentKeyRow>().ToTable("payment_number").HasKey(r => new { r.Sn, r.RequestId });
        builder.Entity<ChannelOrderRow>().ToTable("channel_order").HasKey(r => r.Number);
        builder.Entity<LivePaymentRow>(live =>
        {
            live.ToTable("live_payment").HasKey(r => new { r.Sn, r.RequestId });
            live.HasIndex(r => r.DueAt).HasFilter("due_at IS NOT NULL");
        });
        builder.Entity<OrderKeyRow>().ToTable("order_key").HasKey(r => new { r.MerchantId, r.OrderNo });
    }

    /// <summary>For queries: the tables are <see cref="SearchSchema"/>'s.</summary>
    private static void MapSearched(ModelBuilder builder)
    {
        builder.Entity<PaymentRow>(payment =>
        {
            payment.ToTable("payment", table => table.ExcludeFromMigrations()).HasKey(p => p.Seq);
            payment.Property(p => p.Seq).ValueGeneratedNever();
        });
        builder.Entity<TerminalTroubleRow>().ToTable("terminal_trouble", table => table.ExcludeFromMigrations());
    }

    private static void MapReconciliation(ModelBuilder builder)
    {
        builder.Entity<ReconciliationRow>(run =>
        {
            run.ToTable("reconciliation");
            run.HasIndex(r => new { r.AccountId, r.Day }).IsUnique();
            run.HasIndex(r => r.Day);
            run.HasIndex(r => r.State);
        });
        builder.Entity<DifferenceRow>(difference =>
        {
            difference.ToTable("reconciliation_difference").HasKey(d => new { d.ReconciliationId, d.Generation, d.Number });
            difference.HasIndex(d => new { d.AccountId, d.OrderNumber }).HasFilter("NOT settled");
            difference.HasIndex(d => new { d.AccountId, d.Awaits }).HasFilter("NOT settled AND awaits IS NOT NULL");
        });
        builder.Entity<BillStrayRow>(stray =>
        {
            stray.ToTable("bill_stray").HasKey(s => new { s.Account, s.OrderNumber, s.RefundNumber, s.Kind, s.Day });
            stray.HasIndex(s => new { s.Account, s.Day });
        });
        builder.Entity<RefundProposalRow>(proposal =>
        {
            proposal.ToTable("refund_proposal");
            proposal.HasIndex(p => p.OrderNumber).IsUnique();
            proposal.HasIndex(p => new { p.State, p.Id });
        });
    }

    private static void MapCharges(ModelBuilder builder)
    {
        builder.Entity<ChargeRow>(charge =>
        {
            charge.ToTable("charge");
            charge.HasIndex(c => new { c.MerchantId, c.IdempotencyKey }).IsUnique();
            charge.HasIndex(c => new { c.Sn, c.CreatedAt });

            // One open charge a terminal, and one an order.
            charge.HasIndex(c => c.Sn, "IX_charge_open_terminal").IsUnique().HasFilter("ended = 0");
            charge.HasIndex(c => new { c.MerchantId, c.OrderNumber }, "IX_charge_open_order").IsUnique().HasFilter("ended = 0");
            charge.HasIndex(c => c.DueAt).HasFilter("due_at IS NOT NULL");
        });
        builder.Entity<WebhookRow>(hook =>
        {
            hook.ToTable("webhook");
            hook.HasOne<MerchantRow>().WithMany().HasForeignKey(h => h.MerchantId).OnDelete(DeleteBehavior.Restrict);
        });
        builder.Entity<WebhookEventRow>(e =>
        {
            e.ToTable("webhook_event");
            e.HasIndex(r => new { r.MerchantId, r.DueAt });
            e.HasIndex(r => r.DueAt).HasFilter("due_at IS NOT NULL");
        });
    }

    private static string SnakeCase(string name)
    {
        var snake = new StringBuilder(name.Length + 4);
        foreach (var c in name)
        {
            if (char.IsUpper(c) && snake.Length > 0)
            {
                snake.Append('_');
            }

            snake.Append(char.ToLowerInvariant(c));
        }

        return snake.ToString();
    }

    /// <summary>Times sort and compare as integers; the provider's text form does not across offsets.</summary>
    private sealed class UnixMilliseconds() : ValueConverter<DateTimeOffset, long>(
        at => at.ToUnixTimeMilliseconds(),
        ms => DateTimeOffset.FromUnixTimeMilliseconds(ms));
}
