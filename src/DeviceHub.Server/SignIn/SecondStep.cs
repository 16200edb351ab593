using System.Globalization;
using System.Security.Cryptography;
using DeviceHub.Storage;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using DeviceHub.Server.Hosting;

namespace DeviceHub.Server.SignIn;

/// <summary>Between the right password and the code of the second factor, a browser carries whose password it was, sealed and for five minutes.</summary>
internal sealed class SecondStep(IDataProtectionProvider protection, HubReads reads, IOptions<ServerOptions> options, TimeProvider clock)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private readonly IDataProtector protector = protection.CreateProtector("second-step");

    private CookieBuilder Cookie
    {
        get
        {
            var cookie = new CookieBuilder();
            Accounts.Protect(cookie, "devicehub.step", options.Value);
            return cookie;
        }
    }

    public void Begin(HttpContext http, HubUser user)
    {
        var until = (clock.GetUtcNow() + Lifetime).ToUnixTimeMilliseconds();
        var text = string.Create(CultureInfo.InvariantCulture, $"{until} {user.Id} {user.SecurityStamp}");
        var cookie = Cookie;
        http.Response.Cookies.Append(cookie.Name!, protector.Protect(text), cookie.Build(http));
    }

    public void End(HttpContext http)
    {
        var cookie = Cookie;
        http.Response.Cookies.Delete(cookie.Name!, cookie.Build(http));
    }

    /// <summary>Null: there was no right password in this browser, or it is too long ago, or the account has changed since.</summary>
    public async Task<HubUser?> Find(HttpContext http, CancellationToken stop)
    {
        if (http.Request.Cookies[Cookie.Name!] is not { } value)
        {
            return null;
        }

        string[] parts;
        try
        {
            parts = protector.Unprotect(value).Split(' ');
        }
        catch (CryptographicException)
        {
            return null;
        }

        if (parts.Length != 3 || DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(parts[0], CultureInfo.InvariantCulture)) < clock.GetUtcNow())
        {
            return null;
        }

        var (id, stamp) = (parts[1], parts[2]);
        return await reads.Run((db, cancel) => db.Users.AsNoTracking().FirstOrDefaultAsync(u => u.Id == id && u.SecurityStamp == stamp && u.Disabled == null, cancel), stop);
    }
}
