using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Shouqianba;

/// <summary>
/// Shouqianba's notices of success. Its public documents name their fields and the answer, <c>success</c>, and not how they are signed; its integrators
/// are told to check SHA-256 with RSA over the body, in base64 in <c>Authorization</c>, alone or after the terminal's number, with a public key that they
/// get from its support. An account without that key believes no notice: it asks by itself, as Shouqianba advises anyway.
/// </summary>
internal sealed class ShouqianbaNotices : IChannelNotices
{
    /// <summary>Null: it cannot be read.</summary>
    private static readonly ConditionalWeakTable<ChannelAccount, RsaKey?> Keys = [];

    public string Name => ShouqianbaChannel.ChannelName;

    public NoticeReading Read(ChannelAccount account, NoticeRequest request)
    {
        if (account.Setting(ShouqianbaAccount.NoticeKey) is not { } pem)
        {
            return Not($"the account has no {ShouqianbaAccount.NoticeKey}, so who sent it cannot be checked");
        }

        if (request.Headers.GetValueOrDefault("authorization")?.Split(' ')[^1] is not { Length: > 0 } signature)
        {
            return Not("it is not signed");
        }

        if (Keys.GetValue(account, _ => Key(pem)) is not { } key)
        {
            return Not($"{ShouqianbaAccount.NoticeKey} cannot be read");
        }

        if (!key.IsSigned(request.Body.Span, signature))
        {
            return Not("its signature is wrong");
        }

        if (ShouqianbaAnswer.TryReadNotice(request.Body) is not { ClientSn: { Length: > 0 and <= 64 } order } notice)
        {
            return Not("it names no order");
        }

        // One key of Shouqianba signs for all terminals.
        if (notice.TerminalSn is not null && notice.TerminalSn != account.Setting(ShouqianbaAccount.TerminalSn))
        {
            return Not("it is for another terminal");
        }

        var row = ShouqianbaCodes.Query.Find(notice.Code);
        var verdict = new ChannelVerdict(row?.Verdict ?? Verdict.Unknown, ChannelAlarms.Shown(notice.Code), row?.Says ?? "in no table");
        return new NoticeReading(new ChannelNotice(order, null, verdict.Verdict == Verdict.Approved ? ShouqianbaChannel.WithMoney(verdict, notice) : verdict), null);
    }

    public NoticeReply Reply(bool taken) => new(200, "text/plain; charset=utf-8", taken ? "success" : "fail");

    private static NoticeReading Not(string fault) => new(null, fault);

    private static RsaKey? Key(string pem)
    {
        try
        {
            return RsaKey.FromPem(pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }
}
