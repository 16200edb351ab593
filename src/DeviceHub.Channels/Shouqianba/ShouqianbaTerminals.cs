using System.Collections.Concurrent;
using System.Globalization;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Shouqianba;

/// <summary>
/// The keys of terminals. Shouqianba gives a terminal its first key for an activation code and a new one with each check-in, which is due once a day in
/// China before the first payment. The account keeps the key (<see cref="IAccountKeeper"/>), so nothing is remembered here but what is under way.
/// <para>
/// The new key is durable before anything is signed with it. When the answer to a check-in is lost, or the key could not be kept, the check-in is
/// repeated with the old key, as Shouqianba allows; after a second loss it may refuse the old key for good, and then only a new activation helps: every
/// answer to such an account says so (<c>400.ILLEGAL_SIGN</c>), the account's test too.
/// </para>
/// </summary>
internal sealed partial class ShouqianbaTerminals(
    ShouqianbaClient client, IChannelAccounts accounts, IAccountKeeper keeper, IOptions<ShouqianbaOptions> options, TimeProvider clock, ILogger<ShouqianbaTerminals> logger)
{
    private const int Sendings = 2;
    private const int Keepings = 3;

    private static readonly TimeSpan China = TimeSpan.FromHours(8);

    /// <summary>One an account that checked in since the start.</summary>
    private readonly ConcurrentDictionary<string, Progress> progress = new(StringComparer.Ordinal);

    /// <summary>The terminal's number and today's key; the latest one, whatever instance of the account the caller has. Null: it was never activated.</summary>
    public async Task<(string Sn, SecretText Key)?> Of(ChannelAccount account, CancellationToken cancellationToken)
    {
        account = Latest(account);
        if (account.Setting(ShouqianbaAccount.TerminalSn) is not { } sn || account.Secret(ShouqianbaAccount.TerminalKey) is not { } key)
        {
            return null;
        }

        return !options.Value.CheckIn || account.Setting(ShouqianbaAccount.KeyDay) == Today()
            ? (sn, key)
            : (sn, await CheckedIn(account).WaitAsync(cancellationToken) ?? key);
    }

    public async Task<AccountCheck> Activate(ChannelAccount account, CancellationToken cancellationToken)
    {
        if (account.Setting(ShouqianbaAccount.VendorSn) is not { } vendor || account.Secret(ShouqianbaAccount.VendorKey) is not { } key
            || account.Setting(ShouqianbaAccount.AppId) is not { } application || account.Secret(ShouqianbaAccount.ActivationCode) is not { } code)
        {
            return new AccountCheck(
                false,
                $"the account needs {ShouqianbaAccount.VendorSn}, {ShouqianbaAccount.VendorKey}, {ShouqianbaAccount.AppId} and {ShouqianbaAccount.ActivationCode} to be activated");
        }

        var device = ShouqianbaAccount.DeviceOf(account);
        var reply = await client.Post(
            account, EffectKind.Query, "/terminal/activate", vendor, key, cancellationToken,
            ("app_id", application), ("code", code.Reveal()), ("device_id", device), ("name", "DeviceHub"));
        const string asked = "asked Shouqianba to activate a terminal";
        if (reply.Fault is { } fault)
        {
            return new AccountCheck(false, $"{asked}: {fault.Code}; whether the code is used up is not known, try it again");
        }

        if (reply.Answer is not { TerminalSn: { Length: > 0 } sn, TerminalKey: { Length: > 0 } terminalKey })
        {
            return new AccountCheck(false, $"{asked}: it was refused with {ChannelAlarms.Shown(reply.Answer!.Code)}; a code is good for 7 days and for a number of terminals");
        }

        return await Keep(account, sn, new SecretText(terminalKey), device, isNew: true, cancellationToken)
            ? new AccountCheck(true, $"{asked}: it is terminal {sn}, and its key is kept")
            : new AccountCheck(false, $"{asked}: it is terminal {sn}, but the account was changed meanwhile and its key is not kept; activate again");
    }

    /// <summary>Null: none was had, and the old one may still be good.</summary>
    private Task<SecretText?> CheckedIn(ChannelAccount account)
    {
        var own = progress.GetOrAdd(account.Id, _ => new Progress());
        lock (own)
        {
            // One at a time, for all who wait: of two at once nobody could tell whose key is the last.
            if (own.Running is { IsCompleted: false } running)
            {
                return running;
            }

            // A check-in that ended since the caller looked has left its key in the account.
            account = Latest(account);
            if (account.Setting(ShouqianbaAccount.KeyDay) == Today())
            {
                return Task.FromResult(account.Secret(ShouqianbaAccount.TerminalKey));
            }

            return clock.GetUtcNow() < own.NotBefore ? Task.FromResult<SecretText?>(null) : own.Running = CheckIn(account, own);
        }
    }

    /// <summary>Belongs to no caller: it is not broken off when one of them stops waiting.</summary>
    private async Task<SecretText?> CheckIn(ChannelAccount account, Progress own)
    {
        await Task.Yield();
        try
        {
            return await CheckIn(account);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The call that waits goes on with the old key; what is wrong with it Shouqianba will say.
            LogCheckInFault(e, account.Id);
        }
        finally
        {
            own.NotBefore = clock.GetUtcNow() + options.Value.CheckInPause;
        }

        return null;
    }

    private async Task<SecretText?> CheckIn(ChannelAccount account)
    {
        var sn = account.Setting(ShouqianbaAccount.TerminalSn)!;
        var old = account.Secret(ShouqianbaAccount.TerminalKey)!;
        var device = ShouqianbaAccount.DeviceOf(account);
        for (var sending = 1; sending <= Sendings; sending++)
        {
            using var deadline = new CancellationTokenSource(options.Value.CheckInDeadline, clock);
            ShouqianbaReply reply;
            try
            {
                reply = await client.Post(account, EffectKind.Query, "/terminal/checkin", sn, old, deadline.Token, ("terminal_sn", sn), ("device_id", device));
            }
            catch (OperationCanceledException)
            {
                reply = new ShouqianbaReply(new ChannelVerdict(Verdict.Unknown, "timeout"), null);
            }

            if (reply.Fault is { } lost)
            {
                LogCheckInLost(account.Id, lost.Code);
            }
            else if (reply.Answer is { TerminalKey: { Length: > 0 } key } answer && answer.TerminalSn == sn)
            {
                var fresh = new SecretText(key);
                if (!await KeepFresh(account, sn, old, fresh, device))
                {
                    LogNotKept(account.Id);
                }

                return fresh;
            }
            else
            {
                LogCheckInRefused(account.Id, ChannelAlarms.Shown(reply.Answer!.Code));
                return null;
            }
        }

        return null;
    }

    /// <summary>An account that was changed in another way meanwhile takes the key all the same; one that has another key does not.</summary>
    private async Task<bool> KeepFresh(ChannelAccount account, string sn, SecretText old, SecretText fresh, string device)
    {
        for (var keeping = 1; keeping <= Keepings; keeping++)
        {
            if (await Keep(account, sn, fresh, device, isNew: false, CancellationToken.None))
            {
                return true;
            }

            account = Latest(account);
            if (account.Setting(ShouqianbaAccount.TerminalSn) != sn || account.Secret(ShouqianbaAccount.TerminalKey)?.Reveal() != old.Reveal())
            {
                return false;
            }
        }

        return false;
    }

    private Task<bool> Keep(ChannelAccount account, string sn, SecretText key, string device, bool isNew, CancellationToken cancellationToken)
    {
        var fields = new Dictionary<string, SecretText>
        {
            [ShouqianbaAccount.TerminalSn] = new(sn),
            [ShouqianbaAccount.TerminalKey] = key,
            [ShouqianbaAccount.DeviceId] = new(device),
            [ShouqianbaAccount.KeyDay] = new(Today()),
        };
        if (isNew)
        {
            fields[ShouqianbaAccount.TerminalSince] = new(clock.GetUtcNow().ToString(ShouqianbaAccount.TimeFormat, CultureInfo.InvariantCulture));
        }

        return keeper.Keep(account, fields, cancellationToken);
    }

    /// <summary>The account as it is kept now; an account that is not kept, or is another terminal by now, is as its caller has it.</summary>
    private ChannelAccount Latest(ChannelAccount account) =>
        accounts.Find(account.Id) is { } kept && kept.Channel == account.Channel
            && (account.Setting(ShouqianbaAccount.TerminalSn) is not { } sn || kept.Setting(ShouqianbaAccount.TerminalSn) == sn) ? kept : account;

    private string Today() => clock.GetUtcNow().ToOffset(China).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    [LoggerMessage(EventName = "CheckInLost", Level = LogLevel.Warning, Message = "Shouqianba account {Account}: the answer to a check-in was lost ({Why})")]
    private partial void LogCheckInLost(string account, string why);

    [LoggerMessage(EventName = "CheckInRefused", Level = LogLevel.Error, Message = "Shouqianba account {Account}: its check-in is refused with {Code}; if its payments are refused too, activate it with a new code")]
    private partial void LogCheckInRefused(string account, string code);

    [LoggerMessage(EventName = "CheckInNotKept", Level = LogLevel.Error, Message = "Shouqianba account {Account}: it was changed during its check-in and the new key is not kept; it checks in again")]
    private partial void LogNotKept(string account);

    [LoggerMessage(EventName = "CheckInFault", Level = LogLevel.Error, Message = "Shouqianba account {Account}: its check-in failed")]
    private partial void LogCheckInFault(Exception e, string account);

    private sealed class Progress
    {
        public Task<SecretText?>? Running { get; set; }

        public DateTimeOffset NotBefore { get; set; }
    }
}
