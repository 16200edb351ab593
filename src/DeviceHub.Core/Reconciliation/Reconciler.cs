using System.Collections.Frozen;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Reconciliation;

/// <summary>
/// Reconciles: plans yesterday's runs when it is time, works on what is due, one bill of an account at a time, and sees approved refunds
/// through. What it was at when the process died is taken up at the next start.
/// </summary>
public sealed partial class Reconciler(
    IReconciliationBook book,
    ChannelAccountBook accounts,
    IEnumerable<IChannelBills> bills,
    ProposedRefunds refunds,
    TimeProvider clock,
    IOptions<ReconciliationOptions> options,
    IHostApplicationLifetime lifetime,
    ILogger<Reconciler> logger) : BackgroundService
{
    private readonly FrozenDictionary<string, IChannelBills> bills = bills.ToFrozenDictionary(b => b.Name);
    private readonly ReconciliationOptions options = options.Value;
    private readonly SemaphoreSlim asked = new(0, 1);
    private readonly SemaphoreSlim taking = new(1, 1);
    private readonly HashSet<string> busyAccounts = [];
    private DateOnly plannedTo;

    /// <summary>Whether the account's channel has bills.</summary>
    public bool HasBills(ChannelAccount account) => bills.ContainsKey(account.Channel);

    /// <summary>Somebody asked for a run or approved a refund: it is looked at now.</summary>
    public void Look()
    {
        try
        {
            asked.Release();
        }
        catch (SemaphoreFullException)
        {
            // It has not looked since it was last told.
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        asked.Dispose();
        taking.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource();
        using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Plan(stoppingToken);
                await Task.WhenAll(Enumerable.Range(0, options.Concurrency).Select(_ => Task.Run(() => Work(stoppingToken), stoppingToken)));
                await refunds.Follow(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(e);
            }

            await Pause(stoppingToken);
        }
    }

    private async Task Pause(CancellationToken stoppingToken)
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var tick = Task.Delay(options.LookEvery, clock, wait.Token);
        var told = asked.WaitAsync(wait.Token);
        await Task.WhenAny(tick, told);
        await wait.CancelAsync();
        await told.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Once a day, and at the start for the days that were missed.</summary>
    private async Task Plan(CancellationToken stoppingToken)
    {
        var now = clock.GetUtcNow();
        var last = BillDay.Of(now - options.DailyAt).AddDays(-1);
        if (!options.Daily || last <= plannedTo)
        {
            return;
        }

        for (var day = last.AddDays(1 - options.CatchUpDays); day <= last; day = day.AddDays(1))
        {
            await book.Plan(day, bills.Keys, now, stoppingToken);
        }

        plannedTo = last;
    }

    private async Task Work(CancellationToken stoppingToken)
    {
        while (await Take(stoppingToken) is { } run)
        {
            try
            {
                await Run(run, stoppingToken);
            }
            finally
            {
                await taking.WaitAsync(CancellationToken.None);
                busyAccounts.Remove(run.AccountId);
                taking.Release();
            }
        }
    }

    private async Task<ReconciliationRun?> Take(CancellationToken stoppingToken)
    {
        await taking.WaitAsync(stoppingToken);
        try
        {
            var run = await book.Take(busyAccounts, clock.GetUtcNow(), stoppingToken);
            if (run is not null)
            {
                busyAccounts.Add(run.AccountId);
            }

            return run;
        }
        finally
        {
            taking.Release();
        }
    }

    private async Task Run(ReconciliationRun run, CancellationToken stoppingToken)
    {
        if (accounts.Find(run.AccountId) is not { } account || !bills.TryGetValue(account.Channel, out var channel))
        {
            await book.Fail(run, clock.GetUtcNow(), "there is no such account any more, or its channel has no bills", stoppingToken);
            return;
        }

        using var deadline = new CancellationTokenSource(options.RunDeadline, clock);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, deadline.Token);
        var from = clock.GetTimestamp();
        try
        {
            await book.Reconcile(run, Read(channel, account, run, limit.Token), Sharing(channel, account), clock.GetUtcNow(), limit.Token);
            var seconds = clock.GetElapsedTime(from).TotalSeconds;
            LogFinished(run.AccountId, run.Day, seconds);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Left as it is: the next start takes it up.
        }
        catch (BillException e) when (e.None)
        {
            await book.Postpone(run, clock.GetUtcNow() + options.RetryEvery, e.Message, stoppingToken);
        }
        catch (BillException e)
        {
            LogBad(run.AccountId, run.Day, e.Message);
            await book.Fail(run, clock.GetUtcNow(), e.Message, stoppingToken);
        }
        catch (Exception e)
        {
            await TryLater(run, e, deadline.IsCancellationRequested, stoppingToken);
        }
    }

    /// <summary>Those of the merchant alone: what another merchant's account took into this one's bill is for people to see.</summary>
    private IReadOnlyList<string> Sharing(IChannelBills channel, ChannelAccount account) =>
        [.. accounts.Of(account.MerchantId).Where(other => other.Id != account.Id && channel.SharesBill(account, other)).Select(other => other.Id)];

    private async Task TryLater(ReconciliationRun run, Exception e, bool late, CancellationToken stoppingToken)
    {
        LogBroke(e, run.AccountId, run.Day);
        var why = late ? $"it took longer than {options.RunDeadline}" : $"a fault while it ran: {e.Message}";
        if (run.Tries >= options.MaxTries)
        {
            await book.Fail(run, clock.GetUtcNow(), why, stoppingToken);
        }
        else
        {
            await book.Postpone(run, clock.GetUtcNow() + options.RetryEvery, why, stoppingToken);
        }
    }

    /// <summary>The channel's rows within their limits. A day of which it has said often enough that it has no bill is one without payments.</summary>
    private async IAsyncEnumerable<BillRow> Read(
        IChannelBills channel, ChannelAccount account, ReconciliationRun run, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var rows = channel.Read(account, run.Day, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var closing = rows;
        for (var count = 0; ; count++)
        {
            try
            {
                if (!await rows.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (BillException e) when (e.None && count == 0 && run.Tries >= options.MaxTries)
            {
                yield break;
            }

            if (count >= options.MaxBillRows)
            {
                throw new BillException($"the bill has more than {options.MaxBillRows} rows (Reconciliation:MaxBillRows)");
            }

            yield return Checked(rows.Current);
        }
    }

    private static BillRow Checked(BillRow row) =>
        row.OrderNumber.Length is 0 or > 128 || row.RefundNumber?.Length > 128 || row.Transaction.Length > 128
            ? throw new BillException($"line {row.Line}: an order, refund or transaction number of more than 128 characters, or none")
            : row.AmountFen < 0
                ? throw new BillException($"line {row.Line}: the amount {row.AmountFen} is negative")
                : row;

    [LoggerMessage(EventName = "ReconciliationFinished", Level = LogLevel.Information, Message = "Account {Account} is reconciled for {Day:yyyy-MM-dd}, in {Seconds:0.0} s")]
    private partial void LogFinished(string account, DateOnly day, double seconds);

    [LoggerMessage(EventName = "BillNotGood", Level = LogLevel.Warning, Message = "Account {Account} cannot be reconciled for {Day:yyyy-MM-dd}: {Why}")]
    private partial void LogBad(string account, DateOnly day, string why);

    [LoggerMessage(EventName = "ReconciliationBroke", Level = LogLevel.Warning, Message = "The reconciliation of account {Account} for {Day:yyyy-MM-dd} broke off")]
    private partial void LogBroke(Exception e, string account, DateOnly day);

    [LoggerMessage(EventName = "ReconcilerFailed", Level = LogLevel.Warning, Message = "Reconciliation cannot read or write its book; it is tried again")]
    private partial void LogFailed(Exception e);
}

/// <summary>Registration of reconciliation in the hub's host.</summary>
public static class ReconciliationRegistration
{
    public static IServiceCollection AddReconciliation(this IServiceCollection services)
    {
        services.AddOptionsSection<ReconciliationOptions>(ReconciliationOptions.Section);
        services.AddSingleton<ProposedRefunds>();
        services.AddSingleton<Reconciler>();
        services.AddHostedService(provider => provider.GetRequiredService<Reconciler>());
        return services;
    }
}
